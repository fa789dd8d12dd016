import type { AsyncResource } from 'node:async_hooks'
import type { FastifyReply } from 'fastify'
import type { BodyFacts } from '../event/content/capture.js'
import { messageInBody, messageOf } from '../event/error-message.js'
import { bodyFactsOf, type RawReply, type ReplyFacts, replyFacts } from '../event/reply-facts.js'
import { errorOf, onWebFailure } from './running/payload-failure.js'

/** Reply that came while Received was still being stored. */
export interface EarlyReply extends RawReply {
  /** Async context in which the reply was sent, and in which it continues. */
  readonly scope: AsyncResource
}

/** Collects what Fastify's hooks see of a reply before it reaches the gate. */
export class ReplyNotes {
  /** Message of the last error that Fastify saw. */
  failure: string | undefined
  /** Reply's body before compression, as `onSend` saw it, and what the headers said about it at that time. */
  private payload: unknown
  private payloadFacts: BodyFacts | null = null

  /** Notes the payload; a later hook may still change it. */
  onPayload(payload: unknown, captured: FastifyReply | null): void {
    this.payload = payload
    if (typeof payload === 'object' && payload !== null) this.noteFailureOf(payload)
    if (captured !== null) this.payloadFacts = bodyFactsOf(captured)
  }

  /** Frees what only Complete needs, and notes only later failures from now on. */
  forget(): void {
    this.failure = undefined
    this.payloadFacts = null
  }

  /** Returns why the payload failed after Complete, as far as that is known. */
  failureOfPayload(): string | undefined {
    const error = errorOf(this.payload)
    return error === undefined ? this.failure : messageOf(error)
  }

  /** Apart, because the closure would cost every reply memory. */
  private noteFailureOf(payload: object): void {
    onWebFailure(payload, (message) => {
      this.failure = message
    })
  }

  factsOf(headers: Record<string, unknown>, reply: RawReply): ReplyFacts {
    return replyFacts(headers, reply, this.payload, this.payloadFacts)
  }

  errorOf(statusCode: number, chunk: unknown): string | undefined {
    if (this.failure !== undefined) return this.failure
    return statusCode >= 400 ? messageInBody(this.payload ?? chunk) : undefined
  }
}
