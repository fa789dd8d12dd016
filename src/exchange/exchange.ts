import type { AsyncResource } from 'node:async_hooks'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BodyFacts } from '../event/content/capture.js'
import { messageInBody } from '../event/error-message.js'
import type { Level } from '../event/level.js'
import { bodyFactsOf, type RawReply, type ReplyFacts, replyFacts } from '../event/reply-facts.js'
import type { OpenExchange } from '../runtime/open-exchanges.js'
import type { ExchangeContext } from './context.js'
import type { Gate, GateKeeper } from './gate/gate.js'
import { gateFor } from './gate/gate-for.js'
import type { UpgradeGate } from './gate/upgrade.js'
import { answerOf, NOT_RECORDED, type Replacement, textOf, WITHHELD } from './refusal.js'
import type { DetachedAudit, FollowedAudit, RequestAudit } from './request-audit.js'
import { captureContext, StageDelivery } from './stage-delivery.js'
import { closeAfterReply, upgradeGateFor } from './websocket.js'

/**
 * `awaiting`: Received waits for the request's body. `receiving`: Received is being stored. `received`: the handler may run. `completing`: Complete is being stored.
 * `done`: nothing more is recorded, but for a correction. `cut off`: recorded as unfinished because the server closed.
 */
type State = 'awaiting' | 'receiving' | 'received' | 'completing' | 'done' | 'cut off'

/** What Fastify gives a hook to go on with. */
export type Next = (error?: Error) => void

/** One request and its reply: records each stage once, and decides when the reply may go out. */
export class Exchange extends StageDelivery implements RequestAudit, GateKeeper, OpenExchange {
  previous: OpenExchange | null = null
  following: OpenExchange | null = null
  goneSince = 0

  /** What `request.audit` gives, once somebody has asked. */
  facade: FollowedAudit | null = null
  /** The message of the last error that Fastify saw. */
  failure: string | undefined
  /** The reply went out before the exchange began: an earlier hook sent it raw. It is recorded, and cannot be replaced. */
  isOut = false

  private state: State = 'receiving'
  private readonly gate: Gate
  /** In front of the socket of a request that asks for another protocol. */
  private readonly upgrade: UpgradeGate | null

  /** What goes on when the stage that is being stored is stored. */
  private next: Next | null = null
  /** The reply came while Received was still being stored. */
  private earlyReply: RawReply | null = null
  /** The context in which that was sent, and in which it goes on. */
  private earlyScope: AsyncResource | null = null
  /** The status that Complete has. */
  private recordedStatus = 0
  /** What `onSend` saw: the reply's body before compression, and what its headers said of it then. */
  private payload: unknown
  private payloadFacts: BodyFacts | null = null

  constructor(
    context: ExchangeContext,
    fastifyRequest: FastifyRequest,
    private readonly reply: FastifyReply,
    route: string | undefined,
    namespace: string | undefined,
    level: Level,
    exclusions: number,
    detached: DetachedAudit | null,
  ) {
    super(context, fastifyRequest, detached?.id, level, route, namespace, exclusions)
    this.gate = gateFor(reply.raw, this)
    this.upgrade = upgradeGateFor(fastifyRequest, reply, (statusCode) => this.onHandshake(statusCode))
    // After a reply that an earlier hook sent raw, Node would throw, and the exchange with it would be gone.
    if (context.auditIdHeader !== false && !reply.raw.headersSent) reply.raw.setHeader(context.auditIdHeader, this.id)
    context.open.add(this)
    context.counts.add('audited')
    detached?.attach(this)
  }

  annotate(values: Readonly<Record<string, unknown>>): boolean {
    if (this.state !== 'awaiting' && this.state !== 'receiving' && this.state !== 'received') {
      this.context.counts.add('annotationsTooLate')
      return false
    }
    return this.records.annotate(values)
  }

  /** Records Received, now or when the body is parsed that it is to hold. */
  begin(next: Next): void {
    if (!this.records.awaitsBody) {
      this.receive(next)
      return
    }
    this.state = 'awaiting'
    next()
  }

  /** The request's body is parsed: Received is made if it waited for that. */
  onBody(next: Next): void {
    if (this.state === 'awaiting') this.records.captureBody()
    this.beforeHandler(next)
  }

  /** No handler runs before Received is stored: a hook may call the one for what is not found before a body is parsed. */
  beforeHandler(next: Next): void {
    if (this.state === 'awaiting') this.receive(next)
    else if (this.isReceiving) this.next = next
    else next()
  }

  /** What is sent, unless a later hook changes it. */
  onPayload(payload: unknown): void {
    this.payload = payload
    if (this.records.capturesReply) this.payloadFacts = bodyFactsOf(this.reply)
  }

  /** Records Received; `next` goes on when every enforced sink has stored it. */
  receive(next: Next): void {
    this.state = 'receiving'
    this.next = next
    this.offerReceived()
    if (this.waiting === 0) this.receivedSettled()
  }

  /** Records Complete with 101; `next` hands the socket over when every enforced sink has stored it. */
  switchProtocols(next: Next): void {
    if (this.state !== 'received') {
      // Given up meanwhile: the server closed, or the client left. The trail has its Complete, which is not of a 101.
      this.gate.cut()
      return
    }
    this.next = next
    this.complete({ statusCode: 101, chunk: undefined, isWhole: true })
  }

  // What the gate says.

  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void {
    const reply = { statusCode, chunk, isWhole }
    // The body never came to be parsed (413, 415, an early 401): both stages now.
    if (this.state === 'awaiting') this.receive(doNothing)
    if (this.isReceiving) {
      this.earlyReply = reply
      this.earlyScope = captureContext()
    } else if (this.state === 'received') this.complete(reply)
    else if (this.state === 'cut off' && this.isEnforced) this.replace(WITHHELD)
    else if (this.state !== 'completing') this.letOut()
  }

  onGivenUp(): void {
    this.abandon()
  }

  onGateError(error: unknown): void {
    this.context.log.error(
      { err: error, auditId: this.id },
      'a reply that was held for the audit trail could not be sent',
    )
  }

  /** A reply was written to the socket itself, past the response. */
  private onHandshake(statusCode: number): void {
    // Recorded already where the websocket library announces an upgrade; a bad key, among others, it refuses later.
    const isRecorded = this.state === 'done' && this.recordedStatus !== 0
    if (isRecorded && statusCode !== this.recordedStatus) this.correct(statusCode, undefined)
    this.onReply(statusCode, undefined, true)
  }

  // What the list of open exchanges says.

  isClientGone(): boolean {
    // A response that is finished is destroyed too.
    return !this.isOut && (this.gate.isGone || this.fastifyRequest.raw.aborted)
  }

  hideEnd(isHidden: boolean): void {
    this.gate.hideEnd(isHidden)
  }

  abandon(): void {
    this.tellAwaited()
    if (this.state !== 'received') return
    this.tellUnfinished(undefined, this.failure)
    this.finish('done')
  }

  cutOff(): void {
    this.tellAwaited()
    if (this.state !== 'received') return
    // The only status that can still go out is the one that the gate answers with.
    const canAnswer = this.isEnforced && !this.isClientGone()
    this.tellUnfinished(canAnswer ? WITHHELD.statusCode : undefined, 'server closed')
    this.finish('cut off')
  }

  /** Also after a call that changed the state, which a compiler does not see. */
  private get isReceiving(): boolean {
    return this.state === 'receiving'
  }

  protected onStageSettled(): void {
    if (this.state === 'receiving') this.receivedSettled()
    else this.completeSettled()
  }

  private receivedSettled(): void {
    const { next, earlyReply } = this
    if (this.hasFailed && !this.isOut) {
      // Before the answer is out: `inject` has closed its response by then.
      const { statusCode, code } = NOT_RECORDED
      const complaint = this.completeRecord(statusCode, code, this.isClientGone())
      this.refuse()
      this.tellExceptDoubtful(complaint, statusCode)
      return
    }
    this.state = 'received'
    this.next = null
    // From now on the handler may take its time, however long the sink took.
    this.goneSince = 0
    if (earlyReply !== null) this.complete(earlyReply)
    // A reply that came meanwhile (a handler timeout) is the reply: the handler does not run. Or it goes on with its rest.
    if (next !== null && (earlyReply === null || !this.reply.raw.writableEnded)) this.proceed(next)
  }

  private complete(reply: RawReply): void {
    const { statusCode, chunk } = reply
    this.state = 'completing'
    this.recordedStatus = statusCode
    const facts = this.records.capturesReply ? this.factsOf(reply) : undefined
    const draft = this.completeRecord(statusCode, this.errorOf(statusCode, chunk), this.isClientGone(), facts)
    this.offerComplete(draft, statusCode, this.earlyScope)
    if (this.waiting === 0) this.completeSettled()
  }

  private factsOf(reply: RawReply): ReplyFacts {
    return replyFacts(this.gate.headers(), reply, this.payload, this.payloadFacts)
  }

  private completeSettled(): void {
    const { next } = this
    if (this.hasFailed && !this.isOut) {
      // A socket that was not handed over yet is a handler that did not run.
      if (next !== null) this.refuse()
      else this.withhold()
      const { statusCode, code } = next === null ? WITHHELD : NOT_RECORDED
      this.context.counts.add('corrected')
      this.tellExceptDoubtful(this.records.correction(statusCode, code))
      return
    }
    this.finish('done')
    this.letOut()
    if (next !== null) this.proceed(next)
  }

  /**
   * Goes on where a hook waited: what is thrown there is the hook's error, as it is of a hook that waits for nothing.
   * What is thrown once more would reach nobody but the process.
   */
  private proceed(next: Next): void {
    try {
      next()
    } catch (error) {
      try {
        next(asError(error))
      } catch (again) {
        this.context.log.error({ err: again, auditId: this.id }, 'a request could not go on, and was cut off')
        this.reply.raw.destroy(asError(again))
      }
    }
  }

  private letOut(): void {
    this.gate.open()
    this.upgrade?.open()
  }

  private refuse(): void {
    this.context.counts.add('refused')
    this.finish('done')
    this.replace(NOT_RECORDED)
  }

  private withhold(): void {
    this.context.counts.add('withheld')
    this.finish('done')
    this.replace(WITHHELD)
  }

  private finish(state: 'done' | 'cut off'): void {
    this.state = state
    this.next = null
    this.context.open.remove(this)
  }

  private replace(replacement: Replacement): void {
    const { gate, upgrade, reply } = this
    this.recordedStatus = 0
    const answer = answerOf(replacement, reply, this.id, this.context.auditIdHeader)
    // A handler that goes on has nothing to say any more, and Fastify knows.
    reply.hijack()
    if (upgrade?.isHeld === true) {
      upgrade.refuse(textOf(answer))
      return
    }
    closeAfterReply(this.fastifyRequest, reply)
    gate.answer(answer)
  }

  /** What no sink has of a request that ends before its body is there: nobody waits for it any more. */
  private tellAwaited(): void {
    if (this.state !== 'awaiting') return
    this.tellReceived()
    this.state = 'received'
  }

  private errorOf(statusCode: number, chunk: unknown): string | undefined {
    if (this.failure !== undefined) return this.failure
    return statusCode >= 400 ? messageInBody(this.payload ?? chunk) : undefined
  }
}

function doNothing(): void {}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
