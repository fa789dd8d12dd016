import type { AsyncResource } from 'node:async_hooks'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../event/draft.js'
import type { EventBuilder } from '../event/event-builder.js'
import type { ReplyFacts } from '../event/reply-facts.js'
import type { OpenExchange } from '../runtime/open-exchanges.js'
import type { ExchangeContext } from './context.js'
import type { Gate } from './gate/gate.js'
import { gateFor } from './gate/gate-for.js'
import type { GateKeeper } from './gate/keeper.js'
import type { HandshakeKeeper, UpgradeGate } from './gate/upgrade.js'
import { type Next, proceed } from './next.js'
import { answerOf, NOT_RECORDED, type Replacement, textOf, WITHHELD } from './refusal.js'
import { type EarlyReply, ReplyNotes } from './reply-notes.js'
import type { DetachedAudit, RequestAudit } from './request-audit.js'
import { captureContext, StageDelivery, type StageOwner } from './stage-delivery.js'
import { closeAfterReply, upgradeGateFor } from './websocket.js'

/**
 * `awaiting`: Received waits for the request's body. `receiving`: Received is being stored. `received`: the handler may
 * run. `completing`: Complete is being stored. `done`: nothing more is recorded, but for a correction. `cut off`: recorded
 * as unfinished because the server closed.
 */
type State = 'awaiting' | 'receiving' | 'received' | 'completing' | 'done' | 'cut off'

/** One request and its reply: records each stage once, and decides when the reply may go out. */
export class Exchange implements RequestAudit, GateKeeper, HandshakeKeeper, OpenExchange, StageOwner {
  previous: OpenExchange | null = null
  following: OpenExchange | null = null
  goneSince = 0

  /** What `request.audit` gives, once somebody has asked. */
  facade: RequestAudit | null = null
  /** What Fastify's hooks see of the reply. */
  readonly notes = new ReplyNotes()
  /** The reply went out before the exchange began: an earlier hook sent it raw. It is recorded, and cannot be replaced. */
  isOut = false

  private state: State = 'receiving'
  private readonly stages: StageDelivery
  private readonly gate: Gate
  /** In front of the socket of a request that asks for another protocol. */
  private readonly upgrade: UpgradeGate | null

  /** What goes on when the stage that is being stored is stored. */
  private next: Next | null = null
  /** The reply came while Received was still being stored. */
  private early: EarlyReply | null = null
  /** The status that Complete has. */
  private recordedStatus = 0

  constructor(
    private readonly context: ExchangeContext,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly records: EventBuilder,
    exclusions: number,
  ) {
    this.stages = new StageDelivery(this, context, request, exclusions)
    this.gate = gateFor(reply.raw, this)
    this.upgrade = upgradeGateFor(request, reply, this)
  }

  get id(): string {
    return this.records.id
  }

  /** Follows the request from now on: holds its reply, and is one of the open exchanges. */
  follow(detached: DetachedAudit | null): void {
    const { context, reply } = this
    this.gate.install()
    this.upgrade?.install()
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
    if (this.records.awaitsBody) {
      this.state = 'awaiting'
      next()
    } else this.receive(next)
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

  onPayload(payload: unknown): void {
    this.notes.onPayload(payload, this.records.capturesReply ? this.reply : null)
  }

  /** Records Received; `next` goes on when every enforced sink has stored it. */
  receive(next: Next): void {
    this.state = 'receiving'
    this.next = next
    if (this.stages.offerReceived(this.records.received())) this.receivedSettled()
  }

  /** Records Complete with 101; `next` hands the socket over when every enforced sink has stored it. */
  switchProtocols(next: Next): void {
    if (this.state !== 'received') {
      // Given up meanwhile: the server closed, or the client left. The trail has its Complete, which is not of a 101.
      this.gate.cut()
      return
    }
    this.next = next
    this.complete(101, undefined, true, null)
  }

  // What the gate says.

  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void {
    // The body never came to be parsed (413, 415, an early 401): both stages now.
    if (this.state === 'awaiting') this.receive(() => undefined)
    if (this.isReceiving) this.early = { statusCode, chunk, isWhole, scope: captureContext() }
    else if (this.state === 'received') this.complete(statusCode, chunk, isWhole, null)
    else if (this.state === 'cut off' && this.stages.isEnforced) this.replace(WITHHELD)
    else if (this.state !== 'completing') this.letOut()
  }

  onGivenUp(): void {
    this.abandon()
  }

  onGateError(error: unknown): void {
    const details = { err: error, auditId: this.id }
    this.context.log.error(details, 'a reply that was held for the audit trail could not be sent')
  }

  /** A reply was written to the socket itself, past the response. */
  onHandshake(statusCode: number): void {
    // Recorded already where the websocket library announces an upgrade; a bad key, among others, it refuses later.
    const isRecorded = this.state === 'done' && this.recordedStatus !== 0
    if (isRecorded && statusCode !== this.recordedStatus) {
      this.context.counts.add('corrected')
      this.stages.tellAfterComplete(this.records.correction(statusCode, undefined))
    }
    this.onReply(statusCode, undefined, true)
  }

  // What the list of open exchanges says.

  isClientGone(): boolean {
    // A response that is finished is destroyed too.
    return !this.isOut && (this.gate.isGone || this.request.raw.aborted)
  }

  hideEnd(isHidden: boolean): void {
    this.gate.hideEnd(isHidden)
  }

  abandon(): void {
    this.tellAwaited()
    if (this.state !== 'received') return
    this.tellUnfinished(undefined, this.notes.failure)
    this.finish('done')
  }

  cutOff(): void {
    this.tellAwaited()
    if (this.state !== 'received') return
    // The only status that can still go out is the one that the gate answers with.
    const canAnswer = this.stages.isEnforced && !this.isClientGone()
    this.tellUnfinished(canAnswer ? WITHHELD.statusCode : undefined, 'server closed')
    this.finish('cut off')
  }

  /** Also after a call that changed the state, which a compiler does not see. */
  private get isReceiving(): boolean {
    return this.state === 'receiving'
  }

  onStageSettled(): void {
    if (this.state === 'receiving') this.receivedSettled()
    else this.completeSettled()
  }

  private receivedSettled(): void {
    const { next, early } = this
    if (this.stages.hasFailed && !this.isOut) {
      // Before the answer is out: `inject` has closed its response by then.
      const { statusCode, code } = NOT_RECORDED
      const complaint = this.completeRecord(statusCode, code, this.isClientGone())
      this.answerInstead(NOT_RECORDED)
      this.stages.tellExceptDoubtful(complaint, statusCode)
      return
    }
    this.state = 'received'
    this.next = null
    // From now on the handler may take its time, however long the sink took.
    this.goneSince = 0
    if (early !== null) this.complete(early.statusCode, early.chunk, early.isWhole, early.scope)
    // A reply that came meanwhile (a handler timeout) is the reply: the handler does not run. Or it goes on with its rest.
    if (next !== null && (early === null || !this.reply.raw.writableEnded)) this.proceed(next)
  }

  private complete(statusCode: number, chunk: unknown, isWhole: boolean, scope: AsyncResource | null): void {
    const { notes, records } = this
    this.state = 'completing'
    this.recordedStatus = statusCode
    const facts = records.capturesReply ? notes.factsOf(this.gate.headers(), { statusCode, chunk, isWhole }) : undefined
    const draft = this.completeRecord(statusCode, notes.errorOf(statusCode, chunk), this.isClientGone(), facts)
    if (this.stages.offerComplete(draft, statusCode, scope)) this.completeSettled()
  }

  private completeRecord(statusCode?: number, error?: string, aborted = false, facts?: ReplyFacts): Draft {
    if (aborted) this.context.counts.add('aborted')
    return this.records.complete(statusCode, error, aborted, facts)
  }

  private tellUnfinished(statusCode: number | undefined, error: string | undefined): void {
    this.stages.tellComplete(this.completeRecord(statusCode, error, true), statusCode)
  }

  private completeSettled(): void {
    const { next } = this
    if (this.stages.hasFailed && !this.isOut) {
      // A socket that was not handed over yet is a handler that did not run.
      const replacement = next === null ? WITHHELD : NOT_RECORDED
      this.answerInstead(replacement)
      this.context.counts.add('corrected')
      this.stages.tellExceptDoubtful(this.records.correction(replacement.statusCode, replacement.code))
      return
    }
    this.finish('done')
    this.letOut()
    if (next !== null) this.proceed(next)
  }

  private proceed(next: Next): void {
    const error = proceed(next)
    if (error === null) return
    this.context.log.error({ err: error, auditId: this.id }, 'a request could not go on, and was cut off')
    this.reply.raw.destroy(error)
  }

  private letOut(): void {
    this.gate.open()
    this.upgrade?.open()
  }

  private answerInstead(replacement: Replacement): void {
    this.context.counts.add(replacement.countedAs)
    this.finish('done')
    this.replace(replacement)
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
    closeAfterReply(this.request, reply)
    gate.answer(answer)
  }

  /** What no sink has of a request that ends before its body is there: nobody waits for it any more. */
  private tellAwaited(): void {
    if (this.state !== 'awaiting') return
    this.stages.tellReceived(this.records.received())
    this.state = 'received'
  }
}
