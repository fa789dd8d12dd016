import { AsyncResource } from 'node:async_hooks'
import type { Http2ServerResponse } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BodyFacts } from './capture.js'
import type { Draft, Entry, Lane, Waiter } from './entry.js'
import { newEventId } from './event-id.js'
import type { ExchangeContext } from './exchange-context.js'
import { messageInBody } from './failure.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from './filter.js'
import { Gate, type GateKeeper } from './gate.js'
import type { Level } from './level.js'
import type { OpenExchange } from './open-exchanges.js'
import { Records } from './records.js'
import { answerInstead, NOT_RECORDED, type Replacement, WITHHELD } from './replacement.js'
import { bodyFactsOf, type RawReply, type ReplyFacts, replyFacts } from './reply-facts.js'
import type { DetachedAudit, FollowedAudit, RequestAudit } from './request-audit.js'

/**
 * `awaiting`: Received waits for the request's body. `receiving`: Received is being stored. `received`: the handler may run. `completing`: Complete is being stored.
 * `done`: nothing more is recorded, but for a correction. `cut off`: recorded as unfinished because the server closed.
 */
type State = 'awaiting' | 'receiving' | 'received' | 'completing' | 'done' | 'cut off'

/**
 * One request and its reply: records each stage once, and decides when the reply may go out. It is an AsyncResource
 * because sinks answer in batches, and a handler must run in the context of its own request, not of another's.
 */
export class Exchange extends AsyncResource implements RequestAudit, Waiter, GateKeeper, OpenExchange {
  readonly id: string
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
  private readonly records: Records
  private readonly gate: Gate

  /** What goes on when the stage that is being stored is stored. */
  private next: (() => void) | null = null
  /** Enforced sinks that have not answered for that stage. */
  private waiting = 0
  private hasFailed = false
  /** That stage's entries, linked as siblings. */
  private entries: Entry | null = null
  /** The reply came while Received was still being stored. */
  private earlyReply: RawReply | null = null
  /** The context in which the reply was sent, and in which it goes on. */
  private replyScope: AsyncResource | null = null
  private recordedStatus = 0
  /** What `onSend` saw: the reply's body before compression, and what its headers said of it then. */
  private payload: unknown
  private payloadFacts: BodyFacts | null = null
  /** What follows a record whose reply was replaced, as soon as that record's fate is known. */
  private amendment: Draft | null = null

  constructor(
    private readonly context: ExchangeContext,
    private readonly fastifyRequest: FastifyRequest,
    private readonly reply: FastifyReply,
    route: string | undefined,
    namespace: string | undefined,
    level: Level,
    private readonly exclusions: number,
    detached: DetachedAudit | null,
  ) {
    super('FASTIFY_AUDIT_EXCHANGE', { requireManualDestroy: true })
    this.id = detached === null ? newEventId() : detached.id
    this.records = new Records(this.id, context, fastifyRequest, level, route, namespace)
    this.gate = new Gate(reply.raw, this, fastifyRequest.raw.httpVersionMajor === 2)
    // After a reply that an earlier hook sent raw, Node would throw, and the exchange with it would be gone.
    if (context.auditIdHeader !== false && !reply.raw.headersSent) reply.raw.setHeader(context.auditIdHeader, this.id)
    context.open.add(this)
    context.counts.audited++
    detached?.attach(this)
  }

  annotate(values: Readonly<Record<string, unknown>>): boolean {
    if (this.state !== 'awaiting' && this.state !== 'receiving' && this.state !== 'received') {
      this.context.counts.annotationsTooLate++
      return false
    }
    this.records.annotate(values)
    return true
  }

  /** Records Received, now or when the body is parsed that it is to hold. */
  begin(next: () => void): void {
    if (!this.records.awaitsBody) {
      this.receive(next)
      return
    }
    this.state = 'awaiting'
    next()
  }

  /** The request's body is parsed: Received is made if it waited for that. */
  onBody(next: () => void): void {
    if (this.state === 'awaiting') this.records.captureBody()
    this.beforeHandler(next)
  }

  /** No handler runs before Received is stored: a hook may call the one for what is not found before a body is parsed. */
  beforeHandler(next: () => void): void {
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
  receive(next: () => void): void {
    this.state = 'receiving'
    this.next = next
    this.offer(this.records.received(), EXCLUDES_RECEIVED, this.exclusions)
    if (this.waiting === 0) this.receivedSettled()
  }

  /** Records Complete with 101; `next` hands the socket over when every enforced sink has stored it. */
  switchProtocols(next: () => void): void {
    if (this.state !== 'received') {
      // Given up meanwhile: the server closed, or the client left. The trail has its Complete, which is not of a 101.
      this.gate.cut()
      return
    }
    this.next = next
    this.complete({ statusCode: 101, chunk: undefined, isWhole: true })
  }

  /** The status that went out is not the one that is recorded. */
  correct(statusCode: number, error: string | undefined): void {
    this.context.counts.corrected++
    this.tell(this.records.correction(statusCode, error))
  }

  // What the sinks' lanes say.

  settled(entry: Entry): void {
    this.waiting--
    if (entry.fate !== 'stored') this.hasFailed = true
    if (this.waiting > 0) return
    if (this.state === 'receiving') this.runInAsyncScope(this.receivedSettled, this)
    else (this.replyScope ?? this).runInAsyncScope(this.completeSettled, this)
  }

  resolved(entry: Entry): void {
    if (this.amendment !== null) this.tell(this.amendment, (lane) => lane === entry.lane)
  }

  // What the gate says.

  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void {
    const reply = { statusCode, chunk, isWhole }
    // The body never came to be parsed (413, 415, an early 401): both stages now.
    if (this.state === 'awaiting') this.receive(doNothing)
    if (this.isReceiving) {
      this.earlyReply = reply
      this.replyScope = new AsyncResource('FASTIFY_AUDIT_REPLY', { requireManualDestroy: true })
    } else if (this.state === 'received') this.complete(reply)
    else if (this.state === 'cut off' && this.isEnforced) this.replace(WITHHELD)
    else if (this.state !== 'completing') this.gate.open()
  }

  onReplyEnd(): void {
    // Makes `reply.sent` true, as it would be without the gate, so that Fastify turns a second reply away itself.
    this.reply.hijack()
  }

  onSent(statusCode: number): void {
    if (this.state === 'done' && this.recordedStatus !== 0 && statusCode !== this.recordedStatus) {
      this.correct(statusCode, undefined)
    }
  }

  onGateError(error: unknown): void {
    this.context.log.error(
      { err: error, auditId: this.id },
      'a reply that was held for the audit trail could not be sent',
    )
  }

  // What the list of open exchanges says.

  isClientGone(): boolean {
    // A response that is finished is destroyed too.
    return !this.isOut && (isDestroyed(this.reply.raw) || this.fastifyRequest.raw.aborted)
  }

  abandon(): void {
    this.tellReceived()
    if (this.state !== 'received') return
    this.tellUnfinished(undefined, this.failure)
    this.finish('done')
  }

  cutOff(): void {
    this.tellReceived()
    if (this.state !== 'received') return
    // The only status that can still go out is the one that the gate answers with.
    this.tellUnfinished(this.isEnforced ? WITHHELD.statusCode : undefined, 'server closed')
    this.finish('cut off')
  }

  /** Also after a call that changed the state, which a compiler does not see. */
  private get isReceiving(): boolean {
    return this.state === 'receiving'
  }

  private get isEnforced(): boolean {
    return this.context.auditor.isEnforcedFor(this.exclusions, EXCLUDES_COMPLETE)
  }

  private receivedSettled(): void {
    const { next, earlyReply } = this
    if (this.hasFailed && !this.isOut) {
      // Before the answer is out: `inject` has closed its response by then.
      const { statusCode, code } = NOT_RECORDED
      const complaint = this.completeRecord(statusCode, code, this.isClientGone())
      this.refuse()
      this.tellExceptDoubtful(complaint, this.completeExclusions(statusCode))
      return
    }
    this.state = 'received'
    this.next = null
    if (earlyReply !== null) this.complete(earlyReply)
    // A reply that came meanwhile (a handler timeout) is the reply: the handler does not run. Or it goes on with its rest.
    if (earlyReply === null || !earlyReply.isWhole) next?.()
  }

  private complete(reply: RawReply): void {
    const { statusCode, chunk } = reply
    this.state = 'completing'
    this.recordedStatus = statusCode
    const facts = this.records.capturesReply ? this.factsOf(reply) : undefined
    const draft = this.completeRecord(statusCode, this.errorOf(statusCode, chunk), this.isClientGone(), facts)
    this.offer(draft, EXCLUDES_COMPLETE, this.completeExclusions(statusCode))
    if (this.waiting === 0) this.completeSettled()
    else this.replyScope ??= new AsyncResource('FASTIFY_AUDIT_REPLY', { requireManualDestroy: true })
  }

  private factsOf(reply: RawReply): ReplyFacts {
    const headers = { ...this.reply.getHeaders(), ...this.gate.headersSoFar() }
    return replyFacts(headers, reply, this.payload, this.payloadFacts)
  }

  private completeSettled(): void {
    const { next } = this
    if (this.hasFailed && !this.isOut) {
      // A socket that was not handed over yet is a handler that did not run.
      if (next !== null) this.refuse()
      else this.withhold()
      const { statusCode, code } = next === null ? WITHHELD : NOT_RECORDED
      this.context.counts.corrected++
      this.tellExceptDoubtful(this.records.correction(statusCode, code))
      return
    }
    this.finish('done')
    this.gate.open()
    next?.()
  }

  private refuse(): void {
    this.context.counts.refused++
    this.finish('done')
    this.replace(NOT_RECORDED)
  }

  private withhold(): void {
    this.context.counts.withheld++
    this.finish('done')
    this.replace(WITHHELD)
  }

  private finish(state: 'done' | 'cut off'): void {
    this.state = state
    this.next = null
    this.context.open.remove(this)
  }

  private replace(replacement: Replacement): void {
    this.recordedStatus = 0
    const { auditIdHeader } = this.context
    answerInstead(replacement, this.gate, this.fastifyRequest, this.reply, this.id, auditIdHeader)
  }

  private offer(draft: Draft, stage: number, exclusions: number): void {
    this.entries = this.context.auditor.offer(draft, exclusions, stage, this)
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      if (entry.waiter === null) continue
      if (entry.fate === 'pending') this.waiting++
      else this.hasFailed = true
    }
  }

  /** Tells what follows a Complete also the sinks whose filters excluded that by its status. */
  private tell(draft: Draft, isMeant?: (lane: Lane) => boolean): void {
    this.context.auditor.tell(draft, this.exclusions, EXCLUDES_COMPLETE, isMeant)
  }

  /** What no sink has of a request that ends before its body is there: nobody waits for it any more. */
  private tellReceived(): void {
    if (this.state !== 'awaiting') return
    this.context.auditor.tell(this.records.received(), this.exclusions, EXCLUDES_RECEIVED)
    this.state = 'received'
  }

  private completeExclusions(statusCode: number | undefined): number {
    return this.context.auditor.exclusionsOf(this.exclusions, this.fastifyRequest, statusCode)
  }

  /** Tells every sink at once but those whose last entry is in doubt: they are told when its fate is known. */
  private tellExceptDoubtful(draft: Draft, exclusions = this.exclusions): void {
    const doubtful = new Set<Lane>()
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      // Whom nobody waits for any more stays in doubt: what follows may as well be said now.
      if (entry.fate === 'in doubt' && entry.waiter !== null) doubtful.add(entry.lane)
    }
    this.amendment = draft
    this.context.auditor.tell(draft, exclusions, EXCLUDES_COMPLETE, (lane) => !doubtful.has(lane))
  }

  private tellUnfinished(statusCode: number | undefined, error: string | undefined): void {
    const draft = this.completeRecord(statusCode, error, true)
    this.context.auditor.tell(draft, this.completeExclusions(statusCode), EXCLUDES_COMPLETE)
  }

  private completeRecord(
    statusCode: number | undefined,
    error: string | undefined,
    aborted: boolean,
    facts?: ReplyFacts,
  ): Draft {
    if (aborted) this.context.counts.aborted++
    return this.records.complete(statusCode, error, aborted, facts)
  }

  private errorOf(statusCode: number, chunk: unknown): string | undefined {
    if (this.failure !== undefined) return this.failure
    return statusCode >= 400 ? messageInBody(this.payload ?? chunk) : undefined
  }
}

function doNothing(): void {}

/** HTTP/2's response says it of its stream alone. */
function isDestroyed(raw: FastifyReply['raw'] | Http2ServerResponse): boolean {
  return 'stream' in raw ? raw.stream.destroyed : raw.destroyed
}
