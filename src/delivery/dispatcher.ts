import type { Draft } from '../event/draft.js'
import { EXCLUDES_COMPLETE } from '../policy/stages.js'
import type { Delivery } from './delivery.js'
import { Entry, type Lane, type Waiter } from './entry.js'

/** Hands a record to the lanes of the sinks. `exclusions` has two bits a sink: the stages that it does not record. */
export class Dispatcher {
  constructor(readonly lanes: readonly Delivery[]) {}

  /** Whether every enforced sink stored its last batch, and none is overdue. */
  get healthy(): boolean {
    return this.lanes.every((lane) => !lane.enforced || lane.healthy)
  }

  /** Whether a reply must be held until this stage of it is stored. */
  isEnforcedFor(exclusions: number, stage: number): boolean {
    return this.lanes.some((lane, index) => lane.enforced && ((exclusions >> (2 * index)) & stage) === 0)
  }

  /**
   * Offers a record to every sink that does not exclude its stage; `waiter` waits for the enforced ones. `isOutcome`: it
   * is lost if it is not stored, because what it records has happened and nobody else is told.
   */
  offer(
    draft: Draft,
    exclusions: number,
    stage: number,
    waiter: Waiter,
    isOutcome = stage === EXCLUDES_COMPLETE,
  ): Entry | null {
    let entries: Entry | null = null
    for (let index = 0; index < this.lanes.length; index++) {
      const lane = this.lanes[index]
      if (lane === undefined || ((exclusions >> (2 * index)) & stage) !== 0) continue
      const countsAsLost = !lane.enforced || isOutcome
      entries = new Entry(draft, lane, lane.enforced ? waiter : null, countsAsLost, entries)
      lane.offer(entries)
    }
    return entries
  }

  /** Offers a record to the sinks that `isMeant` picks and that do not exclude its stage. Waits for none of them. */
  tell(draft: Draft, exclusions: number, stage: number, isMeant: (lane: Lane) => boolean = () => true): void {
    for (const [index, lane] of this.lanes.entries()) {
      if (((exclusions >> (2 * index)) & stage) !== 0 || !isMeant(lane)) continue
      lane.offer(new Entry(draft, lane, null, true))
    }
  }

  /** Begins the trail of every sink, with its start entry. */
  begin(draft: Draft): void {
    for (const lane of this.lanes) lane.begin(draft)
  }
}
