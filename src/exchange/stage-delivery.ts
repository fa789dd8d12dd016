import { AsyncResource } from 'node:async_hooks'
import type { FastifyRequest } from 'fastify'
import type { Entry, Lane, Waiter } from '../delivery/entry.js'
import type { Draft } from '../event/draft.js'
import type { EventBuilder } from '../event/event-builder.js'
import type { Recording } from '../policy/recording-policy.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../policy/stages.js'
import type { Connection } from '../runtime/connections.js'
import { socketOf } from './connection-of.js'
import type { ExchangeContext } from './context.js'

/** Type name of a waiting stage's async resource, shown to tools that trace async contexts. */
const RESOURCE = 'FASTIFY_AUDIT_STAGE'
const UNTRACED = { requireManualDestroy: true }

/** Captures the current async context, to continue in it later. */
export function captureContext(): AsyncResource {
  return new AsyncResource(RESOURCE, UNTRACED)
}

/** Receives the result of a stage. */
export interface StageOwner {
  /** Called when all enforced sinks have answered for the stage; not called if the offer returned true. */
  onStageSettled(): void
  /** Tells which action is known when Complete is made. */
  readonly records: Pick<EventBuilder, 'knownAction'>
}

/**
 * Delivers the records of one exchange: offers each stage to the sinks that do not exclude it, and reports when all
 * enforced sinks have answered.
 */
export class StageDelivery implements Waiter {
  /** True if an enforced sink did not store the last offered stage, or an earlier one. */
  hasFailed = false
  /** Number of enforced sinks that have not answered for the current stage. */
  private waiting = 0
  /** Limits shared by all exchanges of one connection; null if there is no real connection (`inject`). */
  private readonly connection: Connection | null
  /** Async context to continue in: sinks answer in batches, and a handler must run in its own request's context. */
  private scope: AsyncResource | null = null
  /** Entries of the current stage, linked as siblings. */
  private entries: Entry | null = null
  /** Record to send after one whose reply was replaced, as soon as that one's fate is known. */
  private amendment: Draft | null = null

  constructor(
    private readonly owner: StageOwner,
    private readonly context: ExchangeContext,
    private readonly request: FastifyRequest,
    private recording: Recording,
  ) {
    const socket = socketOf(request.raw)
    this.connection = socket === null ? null : context.connections.of(socket)
  }

  get takesReserve(): boolean {
    return true
  }

  /** True if the reply must wait until Complete is stored. */
  get isEnforced(): boolean {
    return this.context.dispatcher.isEnforcedFor(this.recording.exclusions, EXCLUDES_COMPLETE)
  }

  /** Offers Received. Returns true if the stage is already settled, because no enforced sink must be waited for. */
  offerReceived(draft: Draft): boolean {
    return this.offer(draft, EXCLUDES_RECEIVED, this.recording.exclusions, null)
  }

  /** Offers Complete; returns as `offerReceived`. `scope`: async context to continue in, if not the current one. */
  offerComplete(draft: Draft, statusCode: number, scope: AsyncResource | null): boolean {
    return this.offer(draft, EXCLUDES_COMPLETE, this.settleExclusions(statusCode), scope)
  }

  // Records that no request waits for.

  tellReceived(draft: Draft): void {
    this.context.dispatcher.tell(draft, this.recording.exclusions, EXCLUDES_RECEIVED)
  }

  tellComplete(draft: Draft, statusCode: number | undefined): void {
    this.context.dispatcher.tell(draft, this.settleExclusions(statusCode), EXCLUDES_COMPLETE)
  }

  /** Returns the sinks that do not record the Complete that was offered with this status. */
  exclusionsOfComplete(statusCode: number | undefined): number {
    const { method, raw } = this.request
    return this.context.policy.exclusionsAt(this.recording, method, raw.url ?? '', statusCode)
  }

  /** Frees the records of a stage that is settled for good. */
  forget(): void {
    this.entries = null
  }

  /** Sends a record that follows a Complete, also to sinks whose filters excluded that Complete by its status. */
  tellAfterComplete(draft: Draft, isMeant?: (lane: Lane) => boolean): void {
    this.context.dispatcher.tell(draft, this.recording.exclusions, EXCLUDES_COMPLETE, isMeant)
  }

  /** Sends a record to every sink now, but where the last entry is in doubt only when that entry's fate is known. */
  tellExceptDoubtful(draft: Draft, statusCode?: number): void {
    const doubtful = new Set<Lane>()
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      // An entry without a waiter stays in doubt for good, so send the follow-up now.
      if (entry.fate === 'in doubt' && entry.waiter !== null) doubtful.add(entry.lane)
    }
    this.amendment = draft
    const exclusions = statusCode === undefined ? this.recording.exclusions : this.settleExclusions(statusCode)
    this.context.dispatcher.tell(draft, exclusions, EXCLUDES_COMPLETE, (lane) => !doubtful.has(lane))
  }

  // Calls from the sinks' lanes.

  settled(entry: Entry): void {
    this.waiting--
    if (entry.fate !== 'stored') this.hasFailed = true
    if (this.waiting > 0) return
    this.connection?.remove(entry.draft.size)
    const { scope } = this
    this.scope = null
    scope?.runInAsyncScope(this.owner.onStageSettled, this.owner)
  }

  resolved(entry: Entry): void {
    if (this.amendment !== null) this.tellAfterComplete(this.amendment, (lane) => lane === entry.lane)
  }

  private offer(draft: Draft, stage: number, exclusions: number, scope: AsyncResource | null): boolean {
    const { connection } = this
    if (connection === null || connection.hasRoomFor(draft.size, stage === EXCLUDES_COMPLETE)) {
      return this.offerNow(draft, stage, exclusions, scope)
    }
    this.offerLater(connection, draft, stage, exclusions, scope ?? captureContext())
    return false
  }

  /** Offers a record when its connection has room. Apart, because the closure would cost every `offer` memory. */
  private offerLater(
    connection: Connection,
    draft: Draft,
    stage: number,
    exclusions: number,
    scope: AsyncResource,
  ): void {
    connection.delay(draft.size, stage === EXCLUDES_COMPLETE, () => {
      if (this.offerNow(draft, stage, exclusions, scope)) scope.runInAsyncScope(this.owner.onStageSettled, this.owner)
    })
  }

  private offerNow(draft: Draft, stage: number, exclusions: number, scope: AsyncResource | null): boolean {
    this.entries = this.context.dispatcher.offer(draft, exclusions, stage, this)
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      if (entry.waiter === null) continue
      if (entry.fate === 'pending') this.waiting++
      else this.hasFailed = true
    }
    if (this.waiting === 0) return true
    this.connection?.add(draft.size)
    this.scope = scope ?? captureContext()
    return false
  }

  /** Decides which sinks record Complete: by its status, and by what else is known only now. */
  private settleExclusions(statusCode: number | undefined): number {
    const { policy, counts } = this.context
    const { method, raw } = this.request
    const before = this.recording
    const known = policy.needsAction ? this.owner.records.knownAction(statusCode) : null
    const facts = known === null ? before.facts : { ...before.facts, ...known }
    this.recording = policy.settle(before, method, raw.url ?? '', statusCode, facts)
    if (this.recording.unclaimed && !before.unclaimed) counts.add('unclaimed')
    return this.exclusionsOfComplete(statusCode)
  }
}
