import type { FastifyRequest } from 'fastify'
import type { Draft } from '../event/draft.js'
import { EXCLUDES_COMPLETE, type Filters } from '../policy/filter.js'
import type { Delivery } from './delivery.js'
import { Entry, type Lane, type Waiter } from './entry.js'

/** One sink's place: its lane, and what it does not record. */
export interface SinkLane {
  readonly delivery: Delivery
  readonly filters: Filters
}

/** From a record to every sink's delivery. */
export class Dispatcher {
  /** Every stage of every sink is excluded: two bits a sink. */
  private readonly everything: number
  private readonly hasStatusFilters: boolean

  constructor(
    private readonly filters: Filters,
    readonly lanes: readonly SinkLane[],
  ) {
    this.everything = 4 ** lanes.length - 1
    this.hasStatusFilters = filters.hasStatuses || lanes.some((lane) => lane.filters.hasStatuses)
  }

  /** Whether no enforced sink's last attempt failed or is overdue. */
  get healthy(): boolean {
    return this.lanes.every(({ delivery }) => !delivery.enforced || delivery.healthy)
  }

  /** Which stages of a request which sinks do not record: two bits a sink, in their order. */
  exclusions(operation: string, url: string): number {
    const forAll = this.filters.isEmpty ? 0 : this.filters.excluded(operation, url)
    let mask = 0
    for (let index = 0; index < this.lanes.length; index++) {
      const filters = this.lanes[index]?.filters
      const own = filters === undefined || filters.isEmpty ? 0 : filters.excluded(operation, url)
      mask |= (forAll | own) << (2 * index)
    }
    return mask
  }

  /** The same, and which sinks do not record a Complete because of its status. */
  exclusionsOf(exclusions: number, { method, raw }: FastifyRequest, statusCode: number | undefined): number {
    if (!this.hasStatusFilters || statusCode === undefined) return exclusions
    return exclusions | this.statusExclusions(method, raw.url ?? '', statusCode)
  }

  private statusExclusions(operation: string, url: string, statusCode: number): number {
    const forAll = this.filters.excludesStatus(operation, url, statusCode)
    let mask = 0
    for (const [index, { filters }] of this.lanes.entries()) {
      if (forAll || filters.excludesStatus(operation, url, statusCode)) mask |= EXCLUDES_COMPLETE << (2 * index)
    }
    return mask
  }

  isExcludedEverywhere(exclusions: number): boolean {
    return exclusions === this.everything
  }

  /** Whether a reply must be held until this stage of it is stored. */
  isEnforcedFor(exclusions: number, stage: number): boolean {
    return this.lanes.some(({ delivery }, index) => delivery.enforced && ((exclusions >> (2 * index)) & stage) === 0)
  }

  /** Offers a record to every sink that does not exclude its stage; `waiter` waits for the enforced ones. */
  offer(draft: Draft, exclusions: number, stage: number, waiter: Waiter): Entry | null {
    let entries: Entry | null = null
    for (let index = 0; index < this.lanes.length; index++) {
      const lane = this.lanes[index]?.delivery
      if (lane === undefined || ((exclusions >> (2 * index)) & stage) !== 0) continue
      const countsAsLost = !lane.enforced || stage === EXCLUDES_COMPLETE
      entries = new Entry(draft, lane, lane.enforced ? waiter : null, countsAsLost, entries)
      lane.offer(entries)
    }
    return entries
  }

  /** Offers a record to the sinks that are meant and do not exclude its stage, waiting for none. */
  tell(draft: Draft, exclusions: number, stage: number, isMeant: (lane: Lane) => boolean = () => true): void {
    for (const [index, { delivery }] of this.lanes.entries()) {
      if (((exclusions >> (2 * index)) & stage) !== 0 || !isMeant(delivery)) continue
      delivery.offer(new Entry(draft, delivery, null, true))
    }
  }

  /** Begins the trail of every sink, with its start entry. */
  begin(draft: Draft): void {
    for (const { delivery } of this.lanes) delivery.begin(draft)
  }
}
