import type { FastifyReply } from 'fastify'
import type { BodyFacts } from './content/capture.js'

/** The first that the gate sees of a reply. */
export interface RawReply {
  readonly statusCode: number
  readonly chunk: unknown
  /** Nothing follows. */
  readonly isWhole: boolean
}

/** What is about to be sent, as far as it is known. */
export interface ReplyFacts extends BodyFacts {
  readonly body: unknown
  /** The body is not sent at once: `body` is nothing of it. */
  readonly isStream: boolean
  readonly headers: Readonly<Record<string, unknown>>
}

/** What headers say of a body; Node joins or drops repeated ones, and an application may set anything. */
export function bodyFacts(type: unknown, encoding: unknown, length: unknown): BodyFacts {
  // Anything else has methods of its own, which may throw.
  const bytes = typeof length === 'string' || typeof length === 'number' ? Number(length) : undefined
  return {
    contentType: typeof type === 'string' ? type : undefined,
    contentEncoding: typeof encoding === 'string' ? encoding : undefined,
    bytes: bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined,
  }
}

/** What a reply's headers say of its body while its hooks run: compression has not changed either yet. */
export function bodyFactsOf(reply: FastifyReply): BodyFacts {
  return bodyFacts(
    reply.getHeader('content-type'),
    reply.getHeader('content-encoding'),
    reply.getHeader('content-length'),
  )
}

/** What a reply holds: as `onSend` saw it, or, where no hook ran, as the gate does. */
export function replyFacts(
  headers: Readonly<Record<string, unknown>>,
  { chunk, isWhole }: RawReply,
  payload: unknown,
  payloadFacts: BodyFacts | null,
): ReplyFacts {
  if (payloadFacts !== null) return { ...payloadFacts, body: payload, isStream: false, headers }
  const facts = bodyFacts(headers['content-type'], headers['content-encoding'], headers['content-length'])
  return { ...facts, body: chunk, isStream: !isWhole, headers }
}
