import { AsyncResource } from 'node:async_hooks'
import type { FastifyRequest } from 'fastify'
import type { Entry, Lane, Waiter } from '../delivery/entry.js'
import type { Draft } from '../event/draft.js'
import { EventBuilder } from '../event/event-builder.js'
import { newEventId } from '../event/event-id.js'
import type { Level } from '../event/level.js'
import type { ReplyFacts } from '../event/reply-facts.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../policy/filter.js'
import type { ExchangeContext } from './context.js'

/** What the context of a stage that waits is called, for those who trace them. */
const RESOURCE = 'FASTIFY_AUDIT_STAGE'
const UNTRACED = { requireManualDestroy: true }

/** The context of now, in which something is to go on later. */
export function captureContext(): AsyncResource {
  return new AsyncResource(RESOURCE, UNTRACED)
}

/**
 * One exchange's records on their way to the sinks: offers each stage to those that do not exclude it, and knows when all
 * who must store it have answered.
 */
export abstract class StageDelivery implements Waiter {
  readonly id: string
  protected readonly records: EventBuilder
  /** Enforced sinks that have not answered for the stage that is being stored. */
  protected waiting = 0
  /** One of them has not stored it. */
  protected hasFailed = false
  /** Where it goes on: sinks answer in batches, and a handler must run in the context of its own request. */
  private scope: AsyncResource | null = null
  /** That stage's entries, linked as siblings. */
  private entries: Entry | null = null
  /** What follows a record whose reply was replaced, as soon as that record's fate is known. */
  private amendment: Draft | null = null

  constructor(
    protected readonly context: ExchangeContext,
    protected readonly fastifyRequest: FastifyRequest,
    id: string | undefined,
    level: Level,
    route: string | undefined,
    namespace: string | undefined,
    private readonly exclusions: number,
  ) {
    this.id = id ?? newEventId()
    this.records = new EventBuilder(this.id, context, fastifyRequest, level, route, namespace)
  }

  /** All enforced sinks have answered for the stage, of which some were waited for. */
  protected abstract onStageSettled(): void

  /** The status that went out is not the one that is recorded. */
  correct(statusCode: number, error: string | undefined): void {
    this.context.counts.add('corrected')
    this.tell(this.records.correction(statusCode, error))
  }

  // What the sinks' lanes say.

  settled(entry: Entry): void {
    this.waiting--
    if (entry.fate !== 'stored') this.hasFailed = true
    if (this.waiting > 0) return
    const { scope } = this
    this.scope = null
    scope?.runInAsyncScope(this.onStageSettled, this)
  }

  resolved(entry: Entry): void {
    if (this.amendment !== null) this.tell(this.amendment, (lane) => lane === entry.lane)
  }

  /** Whether the reply waits for Complete to be stored. */
  protected get isEnforced(): boolean {
    return this.context.dispatcher.isEnforcedFor(this.exclusions, EXCLUDES_COMPLETE)
  }

  protected offerReceived(): void {
    this.offer(this.records.received(), EXCLUDES_RECEIVED, this.exclusions, null)
  }

  /** `scope`: where it goes on, if not in the context of now. */
  protected offerComplete(draft: Draft, statusCode: number, scope: AsyncResource | null): void {
    this.offer(draft, EXCLUDES_COMPLETE, this.completeExclusions(statusCode), scope)
  }

  protected completeRecord(
    statusCode: number | undefined,
    error: string | undefined,
    aborted: boolean,
    facts?: ReplyFacts,
  ): Draft {
    if (aborted) this.context.counts.add('aborted')
    return this.records.complete(statusCode, error, aborted, facts)
  }

  // What nobody waits for any more.

  protected tellReceived(): void {
    this.context.dispatcher.tell(this.records.received(), this.exclusions, EXCLUDES_RECEIVED)
  }

  protected tellUnfinished(statusCode: number | undefined, error: string | undefined): void {
    const draft = this.completeRecord(statusCode, error, true)
    this.context.dispatcher.tell(draft, this.completeExclusions(statusCode), EXCLUDES_COMPLETE)
  }

  /** Tells every sink at once but those whose last entry is in doubt: they are told when its fate is known. */
  protected tellExceptDoubtful(draft: Draft, statusCode?: number): void {
    const doubtful = new Set<Lane>()
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      // Whom nobody waits for any more stays in doubt: what follows may as well be said now.
      if (entry.fate === 'in doubt' && entry.waiter !== null) doubtful.add(entry.lane)
    }
    this.amendment = draft
    const exclusions = this.completeExclusions(statusCode)
    this.context.dispatcher.tell(draft, exclusions, EXCLUDES_COMPLETE, (lane) => !doubtful.has(lane))
  }

  /** Tells what follows a Complete also the sinks whose filters excluded that by its status. */
  private tell(draft: Draft, isMeant?: (lane: Lane) => boolean): void {
    this.context.dispatcher.tell(draft, this.exclusions, EXCLUDES_COMPLETE, isMeant)
  }

  private offer(draft: Draft, stage: number, exclusions: number, scope: AsyncResource | null): void {
    this.entries = this.context.dispatcher.offer(draft, exclusions, stage, this)
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      if (entry.waiter === null) continue
      if (entry.fate === 'pending') this.waiting++
      else this.hasFailed = true
    }
    if (this.waiting > 0) this.scope = scope ?? captureContext()
  }

  private completeExclusions(statusCode: number | undefined): number {
    const { method, raw } = this.fastifyRequest
    return this.context.policy.exclusionsAt(this.exclusions, method, raw.url ?? '', statusCode)
  }
}
