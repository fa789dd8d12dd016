import type { AsyncResource } from 'node:async_hooks'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Draft } from '../event/draft.js'
import type { EventBuilder } from '../event/event-builder.js'
import type { ReplyFacts } from '../event/reply-facts.js'
import type { Recording } from '../policy/recording-policy.js'
import type { OpenExchange } from '../runtime/open-exchanges.js'
import type { ExchangeContext } from './context.js'
import type { Gate } from './gate/gate.js'
import { gateFor } from './gate/gate-for.js'
import type { GateKeeper } from './gate/keeper.js'
import type { HandshakeKeeper, UpgradeGate } from './gate/upgrade.js'
import { type Next, proceed } from './next.js'
import { NOT_RECORDED, type Replacement, WITHHELD } from './refusal.js'
import { type EarlyReply, ReplyNotes } from './reply-notes.js'
import { type DetachedAudit, FollowedAudit, type FollowedRequest, type RequestAudit } from './request-audit.js'
import { followReply, goesOn } from './running/follow-reply.js'
import type { RunningReply } from './running/running-reply.js'
import type { UnsentReply } from './running/unsent-replies.js'
import { sendInstead } from './send-instead.js'
import { captureContext, StageDelivery, type StageOwner } from './stage-delivery.js'
import { upgradeGateFor } from './websocket.js'

/**
 * States of an exchange. `awaiting`: Received waits for the request's body. `receiving`: Received is being stored.
 * `received`: the handler may run. `completing`: Complete is being stored. `done`: nothing more is recorded, except a
 * correction. `cut off`: recorded as unfinished because the server closed.
 */
type State = 'awaiting' | 'receiving' | 'received' | 'completing' | 'done' | 'cut off'

/** One request and its reply: records each stage once, and decides when the reply may go out. */
export class Exchange implements FollowedRequest, GateKeeper, HandshakeKeeper, OpenExchange, UnsentReply, StageOwner {
  previous: Exchange | null = null
  following: Exchange | null = null
  goneSince = 0

  /** Object that `request.audit` returns; created on first use. */
  private facade: RequestAudit | null = null
  /** Details of the reply that Fastify's hooks see. */
  readonly notes = new ReplyNotes()
  /** True if an earlier hook sent the reply raw before the exchange began: it is recorded, but cannot be replaced. */
  isOut = false

  private state: State = 'receiving'
  private readonly stages: StageDelivery
  private readonly gate: Gate
  /** Gate on the socket of a request that asks for another protocol. */
  private readonly upgrade: UpgradeGate | null

  /** Callback to call once the current stage is stored. */
  private next: Next | null = null
  /** Reply that came while Received was still being stored. */
  private early: EarlyReply | null = null
  /** Status that Complete was recorded with; 0 before that, and after a replacement. */
  private recordedStatus = 0
  /** Follows the reply after Complete; null if it does not go on, false if its end is known or replaced. */
  running: RunningReply | false | null = null

  constructor(
    readonly context: ExchangeContext,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    readonly records: EventBuilder,
    recording: Recording,
  ) {
    this.stages = new StageDelivery(this, context, request, recording)
    this.gate = gateFor(reply.raw, this)
    this.upgrade = upgradeGateFor(request, reply, this)
  }

  get id(): string {
    return this.records.id
  }

  /** Interface of this exchange for handlers and hooks. */
  get audit(): RequestAudit {
    this.facade ??= new FollowedAudit(this)
    return this.facade
  }

  /** Follows the request from now on: installs the gates and joins the open exchanges. */
  follow(detached: DetachedAudit | null): void {
    const { context, reply } = this
    this.gate.install()
    this.upgrade?.install()
    // Node throws if an earlier hook has sent a raw reply already; the exchange would be lost with that exception.
    if (context.auditIdHeader !== false && !reply.raw.headersSent) reply.raw.setHeader(context.auditIdHeader, this.id)
    context.open.add(this)
    context.counts.add('audited')
    detached?.attach(this.audit)
  }

  get takesAdditions(): boolean {
    return this.state === 'awaiting' || this.state === 'receiving' || this.state === 'received'
  }

  /** Records Received now, or after the body is parsed if the record includes it. */
  begin(next: Next): void {
    if (this.records.awaitsBody) {
      this.state = 'awaiting'
      next()
    } else this.receive(next)
  }

  /** Captures the parsed body if Received waits for it, and records Received. */
  onBody(next: Next): void {
    if (this.state === 'awaiting') this.records.captureBody()
    this.beforeHandler(next)
  }

  /** Runs no handler before Received is stored: a hook may call the not-found handler before the body is parsed. */
  beforeHandler(next: Next): void {
    if (this.state === 'awaiting') this.receive(next)
    else if (this.isReceiving) this.next = next
    else next()
  }

  onPayload(payload: unknown): void {
    this.notes.onPayload(payload, this.records.capturesReply ? this.reply : null)
  }

  /** Records Received; calls `next` when every enforced sink has stored it. */
  receive(next: Next): void {
    this.state = 'receiving'
    this.next = next
    if (this.stages.offerReceived(this.records.received())) this.receivedSettled()
  }

  /** Records Complete with 101; calls `next`, which hands the socket over, when every enforced sink has stored it. */
  switchProtocols(next: Next): void {
    if (this.state !== 'received') {
      // The exchange ended meanwhile (server closed, or client left): its Complete is recorded, and does not say 101.
      this.gate.cut()
      return
    }
    this.next = next
    this.complete(101, undefined, true, null)
  }

  // Calls from the gate.

  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void {
    // The body was never parsed (413, 415, an early 401): record both stages now.
    if (this.state === 'awaiting') this.receive(() => undefined)
    if (this.isReceiving) this.early = { statusCode, chunk, isWhole, scope: captureContext() }
    else if (this.state === 'received') this.complete(statusCode, chunk, isWhole, null)
    else if (this.state === 'cut off' && this.stages.isEnforced) this.replace(WITHHELD)
    else if (this.state !== 'completing') this.letOut()
  }

  onUnsent(): void {
    if (this.running === null && this.recordedStatus !== 0) this.context.unsent.add(this)
  }

  lookAgain(): void {
    if (this.gate.progress !== 'sent') this.follows(this.recordedStatus).begin(null)
  }

  onGivenUp(): void {
    this.abandon()
  }

  onGateError(error: unknown): void {
    const details = { err: error, auditId: this.id }
    this.context.log.error(details, 'a reply that was held for the audit trail could not be sent')
  }

  /** Handles a reply that was written to the socket directly, bypassing the response. */
  onHandshake(statusCode: number): void {
    // The library may refuse the handshake after the 101 was recorded, for example because of a bad key.
    const isRecorded = this.state === 'done' && this.recordedStatus !== 0
    if (isRecorded && statusCode !== this.recordedStatus) {
      this.stopFollowing()
      this.context.counts.add('corrected')
      this.stages.tellAfterComplete(this.records.correction(statusCode, undefined))
    }
    this.onReply(statusCode, undefined, true)
  }

  // Calls from the list of open exchanges.

  isClientGone(): boolean {
    // Node destroys finished responses too, so a reply that is out says nothing about the client.
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
    // Only the gate's own answer can still be sent.
    const canAnswer = this.stages.isEnforced && !this.isClientGone()
    this.tellUnfinished(canAnswer ? WITHHELD.statusCode : undefined, 'server closed')
    this.finish('cut off')
  }

  /** Getter, because the compiler does not see that a call may have changed the state. */
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
      // Build the record before sending the answer: `inject` closes its response then, as if the client had gone.
      const { statusCode, code } = NOT_RECORDED
      const complaint = this.completeRecord(statusCode, code, this.isClientGone())
      this.answerInstead(NOT_RECORDED)
      this.stages.tellExceptDoubtful(complaint, statusCode)
      return
    }
    this.state = 'received'
    this.next = null
    // Restart the abort timeout: time spent in the sink does not count against the handler.
    this.goneSince = 0
    if (early !== null) this.complete(early.statusCode, early.chunk, early.isWhole, early.scope)
    // Skip the handler if a whole reply came meanwhile (a handler timeout); else continue, to finish the reply.
    if (next !== null && (early === null || !this.reply.raw.writableEnded)) this.proceed(next)
  }

  private complete(statusCode: number, chunk: unknown, isWhole: boolean, scope: AsyncResource | null): void {
    const { notes, records } = this
    this.state = 'completing'
    this.recordedStatus = statusCode
    const isGone = this.isClientGone()
    const facts = records.capturesReply ? notes.factsOf(this.gate.headers(), { statusCode, chunk, isWhole }) : undefined
    const draft = this.completeRecord(statusCode, notes.errorOf(statusCode, chunk), isGone, facts)
    // Follow the reply after the offer, which decides which sinks have Complete: its end goes to the same ones.
    const isSettled = this.stages.offerComplete(draft, statusCode, scope)
    if (isGone || this.isOut) this.running = false
    else if (goesOn(statusCode, isWhole)) this.follows(statusCode)
    if (isSettled) this.completeSettled()
  }

  private follows(statusCode: number): RunningReply {
    const { context, reply, records, notes, stages, gate, upgrade } = this
    this.running = followReply({ context, reply, records, notes, stages, gate, upgrade }, statusCode)
    return this.running
  }

  private stopFollowing(): void {
    if (this.running) this.running.drop()
    this.running = false
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
      // If the socket was not handed over yet, the handler did not run.
      const replacement = next === null ? WITHHELD : NOT_RECORDED
      this.answerInstead(replacement)
      this.context.counts.add('corrected')
      this.stages.tellExceptDoubtful(this.records.correction(replacement.statusCode, replacement.code))
      return
    }
    this.finish('done')
    if (this.running) this.goOn(this.running)
    else this.letOut()
    if (next !== null) this.proceed(next)
  }

  /** Lets a reply out that goes on, and frees what its records needed. */
  private goOn(running: RunningReply): void {
    running.begin(() => this.letOut())
    this.early = null
    this.records.forget()
    this.stages.forget()
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
    const { gate, upgrade, request, reply, id } = this
    this.recordedStatus = 0
    this.stopFollowing()
    sendInstead(replacement, { gate, upgrade, request, reply }, id, this.context.auditIdHeader)
  }

  /** Records Received, without waiting, for a request that ends before its body has arrived. */
  private tellAwaited(): void {
    if (this.state !== 'awaiting') return
    this.stages.tellReceived(this.records.received())
    this.state = 'received'
  }
}
