import { monotonicNow, nextTick, setImmediate } from '../clock.js'

/**
 * So many are written before the turn is over. Hundreds of requests that wait together no longer fit in a processor's own
 * memory, and outlive a collection of garbage: both cost more than another write (`npm run bench`, 256 connections).
 */
const GROUP = 64
/** The longest that more entries are waited for, in milliseconds, however slow their sink is. */
const LONGEST = 10

const RESOLVED = Promise.resolve()

/** When a lane calls its sink next. Entries that are written together cost a fraction of what each does by itself. */
export class GroupCommit {
  private isDue = false
  /** What is asked for now is done in this turn of the event loop. */
  private isInTurn = false
  /** How many entries waited when they were last counted, since the sink is free. */
  private counted = 0
  private freeSince = 0
  /** How long the last write took, in milliseconds; 0: it was done when it returned. */
  private took = 0

  constructor(
    private readonly call: () => void,
    private readonly queue: { readonly length: number; readonly isAmple: boolean },
  ) {}

  /**
   * Has the sink called at the end of this turn of the event loop, with everything that arrives in it. What follows from
   * that call at once, such as the outcomes of handlers that it let run, is not left for another turn: replies go out
   * sooner, and less is held meanwhile.
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

  /** The sink is free, after a write that took so many milliseconds. */
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
    // Handlers go on in microtasks, and when those are done this turn is over.
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
   * A commit to a disk costs as much for one entry as for hundreds: while more keep coming, they are waited for as long
   * as the last one took.
   */
  private mayGather(): boolean {
    const { length, isAmple } = this.queue
    const isGrowing = length > this.counted
    this.counted = length
    return isGrowing && !isAmple && monotonicNow() - this.freeSince < Math.min(this.took, LONGEST)
  }
}
