import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { AuditNotRecorded, AuditResponseWithheld } from '../errors.js'
import type { Answer } from './gate/keeper.js'

/** What is sent in the place of a handler, or of its reply. */
export interface Replacement {
  readonly statusCode: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
  readonly countedAs: 'refused' | 'withheld'
}

/** The handler did not run, so the client may try again. */
export const NOT_RECORDED = replacement(new AuditNotRecorded(), 'refused', { 'retry-after': '1' })

/** The handler ran, so the client must not repeat the request blindly. */
export const WITHHELD = replacement(new AuditResponseWithheld(), 'withheld', {})

/** The answer in the place of the handler, or of its reply. */
export function answerOf(
  replacement: Replacement,
  reply: FastifyReply,
  auditId: string,
  auditIdHeader: string | false,
): Answer {
  const { statusCode } = replacement
  const reason = STATUS_CODES[statusCode] ?? ''
  const body = bodyOf(replacement, auditId)
  const headers: Record<string, unknown> = {}
  // Before `writeHead`, Fastify keeps its headers to itself.
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined && survives(name, value)) headers[name] = value
  }
  Object.assign(headers, headersOf(replacement, body))
  if (auditIdHeader !== false) headers[auditIdHeader] = auditId
  return { statusCode, reason, headers, body, keeps: survives }
}

/** The answer as it goes over a bare socket, which it closes. */
export function textOf({ statusCode, reason, headers, body }: Answer): string {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${reason}\r\n${lines.join('')}\r\n${body}`
}

/** Without these a browser cannot read the reply, or HTTP breaks; nothing else of the reply survives. */
function survives(header: string, value: unknown): boolean {
  // Node adds this one by itself, with what belongs to it.
  if (header === 'connection') return value !== 'keep-alive'
  return header.startsWith('access-control-') || header === 'vary' || header === 'strict-transport-security'
}

function bodyOf({ statusCode, code, message }: Replacement, auditId: string): string {
  return JSON.stringify({ statusCode, code, error: STATUS_CODES[statusCode], message, auditId })
}

function headersOf({ headers }: Replacement, body: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    ...headers,
  }
}

function replacement(
  error: { statusCode?: number; code: string; message: string },
  countedAs: Replacement['countedAs'],
  headers: Record<string, string>,
): Replacement {
  return { statusCode: error.statusCode ?? 500, code: error.code, message: error.message, headers, countedAs }
}
