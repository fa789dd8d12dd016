import type { FastifyReply } from 'fastify'
import type { BodyFacts } from './content/capture.js'

/** The first call of a reply that the gate sees. */
export interface RawReply {
  readonly statusCode: number
  readonly chunk: unknown
  /** Nothing follows. */
  readonly isWhole: boolean
}

/** The reply that is about to be sent, as far as it is known. */
export interface ReplyFacts extends BodyFacts {
  readonly body: unknown
  /** The body is not sent at once: `body` is nothing of it. */
  readonly isStream: boolean
  readonly headers: Readonly<Record<string, unknown>>
}

/** Reads facts about a body from headers. Node joins or drops repeated headers, and an application may set anything. */
export function bodyFacts(type: unknown, encoding: unknown, length: unknown): BodyFacts {
  // Anything else has methods of its own, which may throw.
  const bytes = typeof length === 'string' || typeof length === 'number' ? Number(length) : undefined
  return {
    contentType: typeof type === 'string' ? type : undefined,
    contentEncoding: typeof encoding === 'string' ? encoding : undefined,
    bytes: bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined,
  }
}

/** Reads facts about a reply's body while its hooks run, before compression changes it. */
export function bodyFactsOf(reply: FastifyReply): BodyFacts {
  return bodyFacts(
    reply.getHeader('content-type'),
    reply.getHeader('content-encoding'),
    reply.getHeader('content-length'),
  )
}

/** Returns the reply as `onSend` saw it, or, if no hook ran, as the gate sees it. */
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
