import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AuditNotRecorded, AuditResponseWithheld } from './errors.js'
import type { Gate } from './gate.js'
import { closeAfterReply } from './websocket.js'

/** What is sent in the place of a handler, or of its reply. */
export interface Replacement {
  readonly statusCode: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}

/** The handler did not run, so the client may try again. */
export const NOT_RECORDED = replacement(new AuditNotRecorded(), { 'retry-after': '1' })

/** The handler ran, so the client must not repeat the request blindly. */
export const WITHHELD = replacement(new AuditResponseWithheld(), {})

/** Answers in the place of the handler, or of its reply. */
export function answerInstead(
  replacement: Replacement,
  gate: Gate,
  request: FastifyRequest,
  reply: FastifyReply,
  auditId: string,
  auditIdHeader: string | false,
): void {
  const body = bodyOf(replacement, auditId)
  const headers: Record<string, unknown> = {}
  // Before `writeHead`, Fastify keeps its headers to itself.
  for (const [name, value] of Object.entries(reply.getHeaders())) if (survives(name)) headers[name] = value
  Object.assign(headers, headersOf(replacement, body))
  if (auditIdHeader !== false) headers[auditIdHeader] = auditId
  reply.hijack()
  closeAfterReply(request, reply)
  gate.answer(replacement.statusCode, headers, body, survives)
}

/** Without these a browser cannot read the reply, or HTTP breaks; nothing else of the reply survives. */
function survives(header: string): boolean {
  return header.startsWith('access-control-') || ['vary', 'connection', 'strict-transport-security'].includes(header)
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
  headers: Record<string, string>,
): Replacement {
  return { statusCode: error.statusCode ?? 500, code: error.code, message: error.message, headers }
}
