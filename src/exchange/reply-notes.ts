import type { AsyncResource } from 'node:async_hooks'
import type { FastifyReply } from 'fastify'
import type { BodyFacts } from '../event/content/capture.js'
import { messageInBody } from '../event/error-message.js'
import { bodyFactsOf, type RawReply, type ReplyFacts, replyFacts } from '../event/reply-facts.js'

/** A reply that came while Received was still being stored. */
export interface EarlyReply extends RawReply {
  /** The context in which it was sent, and in which it goes on. */
  readonly scope: AsyncResource
}

/** What Fastify's hooks see of a reply before it reaches the gate. */
export class ReplyNotes {
  /** The message of the last error that Fastify saw. */
  failure: string | undefined
  /** What `onSend` saw: the reply's body before compression, and what its headers said of it then. */
  private payload: unknown
  private payloadFacts: BodyFacts | null = null

  /** Notes what is sent, unless a later hook changes it. */
  onPayload(payload: unknown, captured: FastifyReply | null): void {
    this.payload = payload
    if (captured !== null) this.payloadFacts = bodyFactsOf(captured)
  }

  factsOf(headers: Record<string, unknown>, reply: RawReply): ReplyFacts {
    return replyFacts(headers, reply, this.payload, this.payloadFacts)
  }

  errorOf(statusCode: number, chunk: unknown): string | undefined {
    if (this.failure !== undefined) return this.failure
    return statusCode >= 400 ? messageInBody(this.payload ?? chunk) : undefined
  }
}
