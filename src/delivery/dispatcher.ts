import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import { Draft } from '../event/draft.js'
import type { LifecycleDetails, LifecycleType } from '../event/event.js'
import { newEventId } from '../event/event-id.js'
import { flat } from '../event/flat.js'
import { writeLifecycle } from '../event/formats/json.js'
import { EXCLUDES_COMPLETE, type Filters } from '../policy/filter.js'
import { toIsoTime } from '../time.js'
import type { Delivery } from './delivery.js'
import { Entry, type Lane, type Waiter } from './entry.js'

/** One sink's place: its lane, and what it does not record. */
export interface Route {
  readonly delivery: Delivery
  readonly filters: Filters
}

/** From a record to every sink's delivery. */
export class Auditor {
  readonly instance = randomUUID()
  /** Every stage of every sink is excluded: two bits a sink. */
  private readonly everything: number
  private readonly hasStatusFilters: boolean
  /** What the lines that are made within a millisecond begin with. */
  private head = ''
  private headTime = ''

  constructor(
    readonly clock: Clock,
    private readonly filters: Filters,
    readonly routes: readonly Route[],
  ) {
    this.everything = 4 ** routes.length - 1
    this.hasStatusFilters = filters.hasStatuses || routes.some((route) => route.filters.hasStatuses)
  }

  /** Whether no enforced sink's last attempt failed or is overdue. */
  get healthy(): boolean {
    return this.routes.every(({ delivery }) => !delivery.enforced || delivery.healthy)
  }

  /** Which stages of a request which sinks do not record: two bits a sink, in their order. */
  exclusions(operation: string, url: string): number {
    const forAll = this.filters.isEmpty ? 0 : this.filters.excluded(operation, url)
    let mask = 0
    for (let index = 0; index < this.routes.length; index++) {
      const filters = this.routes[index]?.filters
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
    for (const [index, { filters }] of this.routes.entries()) {
      if (forAll || filters.excludesStatus(operation, url, statusCode)) mask |= EXCLUDES_COMPLETE << (2 * index)
    }
    return mask
  }

  isExcludedEverywhere(exclusions: number): boolean {
    return exclusions === this.everything
  }

  /** The record of a line from its payload on; `isAscii` when its text is known to be. */
  draft(tail: string, isAscii = false): Draft {
    const createdAt = toIsoTime(this.clock.now())
    if (createdAt !== this.headTime) {
      this.headTime = createdAt
      this.head = flat(`{"created_at":"${createdAt}","event_type":"audit","instance":"${this.instance}","seq":`)
    }
    return new Draft(this.head, tail, isAscii)
  }

  readonly lifecycle = <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Draft =>
    this.draft(writeLifecycle(type, newEventId(), toIsoTime(this.clock.now()), details))

  /** Whether a reply must be held until this stage of it is stored. */
  isEnforcedFor(exclusions: number, stage: number): boolean {
    return this.routes.some(({ delivery }, index) => delivery.enforced && ((exclusions >> (2 * index)) & stage) === 0)
  }

  /** Offers a record to every sink that does not exclude its stage; `waiter` waits for the enforced ones. */
  offer(draft: Draft, exclusions: number, stage: number, waiter: Waiter): Entry | null {
    let entries: Entry | null = null
    for (let index = 0; index < this.routes.length; index++) {
      const lane = this.routes[index]?.delivery
      if (lane === undefined || ((exclusions >> (2 * index)) & stage) !== 0) continue
      const countsAsLost = !lane.enforced || stage === EXCLUDES_COMPLETE
      entries = new Entry(draft, lane, lane.enforced ? waiter : null, countsAsLost, entries)
      lane.offer(entries)
    }
    return entries
  }

  /** Offers a record to the sinks that are meant and do not exclude its stage, waiting for none. */
  tell(draft: Draft, exclusions: number, stage: number, isMeant: (lane: Lane) => boolean = () => true): void {
    for (const [index, { delivery }] of this.routes.entries()) {
      if (((exclusions >> (2 * index)) & stage) !== 0 || !isMeant(delivery)) continue
      delivery.offer(new Entry(draft, delivery, null, true))
    }
  }

  /** Begins the trail of every sink. */
  begin(details: LifecycleDetails['start']): void {
    const draft = this.lifecycle('start', details)
    for (const { delivery } of this.routes) delivery.begin(draft)
  }
}
