import { AsyncResource } from 'node:async_hooks'
import type { FastifyRequest } from 'fastify'
import type { Entry, Lane, Waiter } from '../delivery/entry.js'
import type { Draft } from '../event/draft.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../policy/filter.js'
import type { Connection } from '../runtime/connections.js'
import { socketOf } from './connection-of.js'
import type { ExchangeContext } from './context.js'

/** The name of the context of a stage that waits, for those who trace contexts. */
const RESOURCE = 'FASTIFY_AUDIT_STAGE'
const UNTRACED = { requireManualDestroy: true }

/** The context of now, in which something is to go on later. */
export function captureContext(): AsyncResource {
  return new AsyncResource(RESOURCE, UNTRACED)
}

/** The exchange whose records are delivered. */
export interface StageOwner {
  /** All enforced sinks have answered for the stage; not called where the offer itself said so. */
  onStageSettled(): void
}

/**
 * One exchange's records on their way to the sinks: offers each stage to those that do not exclude it, and knows when all
 * that must store it have answered.
 */
export class StageDelivery implements Waiter {
  /** An enforced sink has not stored the stage that was offered last, or an earlier one. */
  hasFailed = false
  /** Enforced sinks that have not answered for the stage that is being stored. */
  private waiting = 0
  /** What the exchange shares with others; null where nothing does. */
  private readonly connection: Connection | null
  /** The size of the record that counts as waiting on the connection. */
  private size = 0
  /** Where it goes on: sinks answer in batches, and a handler must run in the context of its own request. */
  private scope: AsyncResource | null = null
  /** That stage's entries, linked as siblings. */
  private entries: Entry | null = null
  /** What follows a record whose reply was replaced, as soon as that record's fate is known. */
  private amendment: Draft | null = null

  constructor(
    private readonly owner: StageOwner,
    private readonly context: ExchangeContext,
    private readonly request: FastifyRequest,
    private readonly exclusions: number,
  ) {
    const socket = socketOf(request.raw)
    this.connection = socket === null ? null : context.connections.of(socket)
  }

  /** Whether the reply waits for Complete to be stored. */
  get isEnforced(): boolean {
    return this.context.dispatcher.isEnforcedFor(this.exclusions, EXCLUDES_COMPLETE)
  }

  /** Whether the stage is settled at once: no enforced sink is waited for. */
  offerReceived(draft: Draft): boolean {
    return this.offer(draft, EXCLUDES_RECEIVED, this.exclusions, null)
  }

  /** The same for Complete. `scope`: where it goes on, if not in the context of now. */
  offerComplete(draft: Draft, statusCode: number, scope: AsyncResource | null): boolean {
    return this.offer(draft, EXCLUDES_COMPLETE, this.completeExclusions(statusCode), scope)
  }

  // What nobody waits for any more.

  tellReceived(draft: Draft): void {
    this.context.dispatcher.tell(draft, this.exclusions, EXCLUDES_RECEIVED)
  }

  tellComplete(draft: Draft, statusCode: number | undefined): void {
    this.context.dispatcher.tell(draft, this.completeExclusions(statusCode), EXCLUDES_COMPLETE)
  }

  /** Tells what follows a Complete: also the sinks whose filters excluded that by its status. */
  tellAfterComplete(draft: Draft, isMeant?: (lane: Lane) => boolean): void {
    this.context.dispatcher.tell(draft, this.exclusions, EXCLUDES_COMPLETE, isMeant)
  }

  /** Tells every sink at once but those whose last entry is in doubt: they are told when its fate is known. */
  tellExceptDoubtful(draft: Draft, statusCode?: number): void {
    const doubtful = new Set<Lane>()
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      // Nobody waits for an entry without a waiter any more: it stays in doubt, so what follows is told now.
      if (entry.fate === 'in doubt' && entry.waiter !== null) doubtful.add(entry.lane)
    }
    this.amendment = draft
    const exclusions = this.completeExclusions(statusCode)
    this.context.dispatcher.tell(draft, exclusions, EXCLUDES_COMPLETE, (lane) => !doubtful.has(lane))
  }

  // What the sinks' lanes say.

  settled(entry: Entry): void {
    this.waiting--
    if (entry.fate !== 'stored') this.hasFailed = true
    if (this.waiting > 0) return
    this.connection?.remove(this.size)
    const { scope } = this
    this.scope = null
    scope?.runInAsyncScope(this.owner.onStageSettled, this.owner)
  }

  resolved(entry: Entry): void {
    if (this.amendment !== null) this.tellAfterComplete(this.amendment, (lane) => lane === entry.lane)
  }

  private offer(draft: Draft, stage: number, exclusions: number, scope: AsyncResource | null): boolean {
    const { connection } = this
    const isOutcome = stage === EXCLUDES_COMPLETE
    if (connection === null || connection.hasRoomFor(draft.size, isOutcome)) {
      return this.offerNow(draft, stage, exclusions, scope)
    }
    const resumed = scope ?? captureContext()
    connection.delay(draft.size, isOutcome, () => {
      if (this.offerNow(draft, stage, exclusions, resumed))
        resumed.runInAsyncScope(this.owner.onStageSettled, this.owner)
    })
    return false
  }

  private offerNow(draft: Draft, stage: number, exclusions: number, scope: AsyncResource | null): boolean {
    this.entries = this.context.dispatcher.offer(draft, exclusions, stage, this)
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      if (entry.waiter === null) continue
      if (entry.fate === 'pending') this.waiting++
      else this.hasFailed = true
    }
    if (this.waiting === 0) return true
    this.size = draft.size
    this.connection?.add(draft.size)
    this.scope = scope ?? captureContext()
    return false
  }

  private completeExclusions(statusCode: number | undefined): number {
    const { method, raw } = this.request
    return this.context.policy.exclusionsAt(this.exclusions, method, raw.url ?? '', statusCode)
  }
}
