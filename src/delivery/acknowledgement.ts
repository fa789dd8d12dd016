import type { Draft } from '../event/draft.js'
import { EXCLUDES_COMPLETE } from '../policy/stages.js'
import type { Dispatcher } from './dispatcher.js'
import type { Entry, Lane, Waiter } from './entry.js'

/** Offers one record, and waits until every enforced sink has answered for it. */
export class Acknowledgement implements Waiter {
  private waiting = 0
  private hasFailed = false
  private entries: Entry | null = null
  private answer: ((isStored: boolean) => void) | null = null
  /** Record to send after one that is in doubt, as soon as that one's fate is known. */
  private amendment: Draft | null = null

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly exclusions: number,
    /** False for an event: a flood of them must not keep out the outcomes of what has run. */
    readonly takesReserve = true,
  ) {}

  /** Resolves with true when every enforced sink has stored the record, and with false if one has not. */
  offer(draft: Draft, stage: number, isOutcome: boolean): Promise<boolean> {
    this.entries = this.dispatcher.offer(draft, this.exclusions, stage, this, isOutcome)
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      if (entry.waiter === null) continue
      if (entry.fate === 'pending') this.waiting++
      else this.hasFailed = true
    }
    if (this.waiting === 0) return Promise.resolve(!this.hasFailed)
    return new Promise((resolve) => {
      this.answer = resolve
    })
  }

  /** Sends a record to every sink now, but where the offered one is in doubt only when its fate is known. */
  amend(draft: Draft): void {
    const doubtful = new Set<Lane>()
    for (let entry = this.entries; entry !== null; entry = entry.sibling) {
      // An entry without a waiter stays in doubt for good.
      if (entry.fate === 'in doubt' && entry.waiter !== null) doubtful.add(entry.lane)
    }
    this.amendment = draft
    this.dispatcher.tell(draft, this.exclusions, EXCLUDES_COMPLETE, (lane) => !doubtful.has(lane))
  }

  settled(entry: Entry): void {
    this.waiting--
    if (entry.fate !== 'stored') this.hasFailed = true
    if (this.waiting === 0) this.answer?.(!this.hasFailed)
  }

  resolved(entry: Entry): void {
    if (this.amendment === null) return
    this.dispatcher.tell(this.amendment, this.exclusions, EXCLUDES_COMPLETE, (lane) => lane === entry.lane)
  }
}
