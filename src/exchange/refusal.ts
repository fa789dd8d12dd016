import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { AuditNotRecorded, AuditResponseWithheld } from '../errors.js'
import type { Answer } from './gate/keeper.js'

/** Reply that is sent instead of running the handler, or instead of the handler's reply. */
export interface Replacement {
  readonly statusCode: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
  readonly countedAs: 'refused' | 'withheld'
}

/** Replacement if the handler did not run: the client may try again. */
export const NOT_RECORDED = replacement(
  new AuditNotRecorded(
    'The request was not processed because it could not be recorded in the audit trail. It is safe to repeat it.',
  ),
  'refused',
  { 'retry-after': '1' },
)

/** Replacement if the handler ran: the client must not repeat the request blindly. */
export const WITHHELD = replacement(
  new AuditResponseWithheld(
    'The request was processed, but its outcome could not be recorded in the audit trail, so the reply is withheld. Check whether it took effect before you repeat it.',
  ),
  'withheld',
  {},
)

/** Builds the answer, with the headers of the reply that survive. */
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
  // Read Fastify's own headers too: it passes them to the response only in `writeHead`.
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined && survives(name, value)) headers[name] = value
  }
  Object.assign(headers, headersOf(replacement, body))
  if (auditIdHeader !== false) headers[auditIdHeader] = auditId
  return { statusCode, reason, headers, body, keeps: survives }
}

/** Formats the answer as HTTP/1.1 text for a bare socket, and announces that the connection closes. */
export function textOf({ statusCode, reason, headers, body }: Answer): string {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${reason}\r\n${lines.join('')}\r\n${body}`
}

/** Keeps only the headers without which a browser cannot read the reply or HTTP breaks. */
function survives(header: string, value: unknown): boolean {
  // Node adds `keep-alive` itself, with the headers that belong to it.
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
