import { monotonicNow, nextTick, setImmediate } from '../clock.js'

/**
 * The number of entries that is written before the turn is over. Hundreds of requests that wait together do not fit in
 * a processor's cache, and outlive a garbage collection: both cost more than another write (`npm run bench`, 256
 * connections).
 */
const GROUP = 64
/** The longest wait for more entries, in milliseconds, however slow the sink is. */
const LONGEST = 10

const RESOLVED = Promise.resolve()

/** Decides when a lane calls its sink next. Entries written together cost a fraction of entries written one by one. */
export class GroupCommit {
  private isDue = false
  /** A call that is scheduled now is made in this turn of the event loop. */
  private isInTurn = false
  /** The number of waiting entries when they were last counted, after the sink became free. */
  private counted = 0
  private freeSince = 0
  /** The duration of the last write in milliseconds; 0 if it was done when it returned. */
  private took = 0

  constructor(
    private readonly call: () => void,
    private readonly queue: { readonly length: number; readonly isAmple: boolean },
  ) {}

  /**
   * Schedules a call of the sink at the end of this turn of the event loop, with all entries that arrive in it. Entries
   * that follow from that call at once, such as the outcomes of handlers that it let run, are written in the same turn:
   * replies go out sooner, and less is held meanwhile.
   */
  schedule(): void {
    if (this.took === 0 && this.queue.length === GROUP) nextTick(this.early)
    if (this.isDue) return
    this.isDue = true
    if (this.isInTurn) {
      this.isInTurn = false
      nextTick(this.go)
    } else setImmediate(this.atEndOfTurn)
  }

  /** Notes that the sink is free, after a write that took `took` milliseconds. */
  wrote(took: number): void {
    this.took = took
    this.counted = 0
    if (took > 0) this.freeSince = monotonicNow()
  }

  private readonly atEndOfTurn = (): void => {
    if (this.took > 0 && this.mayGather()) {
      setImmediate(this.atEndOfTurn)
      return
    }
    this.isInTurn = true
    // Handlers continue in microtasks; after those, this turn is over.
    RESOLVED.then(this.afterMicrotasks)
    this.go()
  }

  private readonly early = (): void => {
    if (this.queue.length >= GROUP) this.call()
  }

  private readonly go = (): void => {
    this.isDue = false
    this.call()
  }

  private readonly afterMicrotasks = (): void => nextTick(this.endTurn)

  private readonly endTurn = (): void => {
    this.isInTurn = false
  }

  /**
   * Whether to wait for more entries. A commit to a disk costs as much for one entry as for hundreds, so the lane waits
   * as long as the last commit took, while more keep coming.
   */
  private mayGather(): boolean {
    const { length, isAmple } = this.queue
    const isGrowing = length > this.counted
    this.counted = length
    return isGrowing && !isAmple && monotonicNow() - this.freeSince < Math.min(this.took, LONGEST)
  }
}
