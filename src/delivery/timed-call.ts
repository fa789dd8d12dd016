import { clearTimeout, monotonicNow, nextTick, setTimeout } from '../clock.js'
import { STORED } from '../sinks/sink.js'

/** Called when a call settled, with its error, if any, and whether it settled after its timeout. */
export type Settled = (error: unknown, late: boolean) => void

/** Makes calls on one sink, one at a time. After its timeout a call is overdue, but the next one waits for it. */
export class TimedCall {
  private settled: Settled | null = null
  private timer: NodeJS.Timeout | undefined
  private startedAt = 0
  /** The duration of the last call in milliseconds; 0 if it was done when it returned. */
  took = 0
  /** Whether the call under way is past its timeout. */
  isOverdue = false

  constructor(
    private readonly onOverdue: (timeout: number) => void,
    private readonly onFree: () => void,
  ) {}

  get isBusy(): boolean {
    return this.settled !== null
  }

  /** Starts a call; the caller makes sure that none is under way. A call that throws counts as rejected. */
  start(run: () => Promise<void> | undefined, timeout: number, settled: Settled): void {
    this.settled = settled
    let running: Promise<void> | undefined
    try {
      running = run()
    } catch (error) {
      running = Promise.reject(error)
    }
    if (running === STORED) {
      this.took = 0
      this.settle(undefined)
      return
    }
    this.startedAt = monotonicNow()
    this.timer = setTimeout(() => this.giveUp(timeout), timeout)
    Promise.resolve(running).then(this.onResolved, this.onRejected)
  }

  /** Treats the call under way as overdue, now. */
  giveUp(timeout: number): void {
    clearTimeout(this.timer)
    if (this.settled === null || this.isOverdue) return
    this.isOverdue = true
    this.onOverdue(timeout)
  }

  // Settles in a tick, not in a microtask: a handler that continues in a microtask has its own ticks run after all of
  // its microtasks, while Node runs them before if it calls the handler itself.

  private readonly onResolved = (): void => nextTick(() => this.finish(undefined))

  private readonly onRejected = (error: unknown): void =>
    nextTick(() => this.finish(error ?? new Error('the sink rejected without a reason')))

  private finish(error: unknown): void {
    clearTimeout(this.timer)
    this.took = monotonicNow() - this.startedAt
    this.settle(error)
  }

  private settle(error: unknown): void {
    const { settled, isOverdue } = this
    this.settled = null
    this.isOverdue = false
    settled?.(error, isOverdue)
    this.onFree()
  }
}
