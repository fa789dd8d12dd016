import { type Clock, clearInterval, setInterval } from '../clock.js'
import type { OpenExchanges } from './open-exchanges.js'
import type { RunningReplies } from './running-replies.js'

const INTERVAL = 1000
/** Interval while the server closes: it looks more often, and waits less for handlers whose client is gone. */
const CLOSING_INTERVAL = 10
const CLOSING_ABORT_TIMEOUT = 250

/** Gives up open exchanges whose client has been gone for `abortTimeout` milliseconds, and looks at running replies. */
export class Sweeper {
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly open: OpenExchanges,
    private readonly running: RunningReplies,
    private readonly abortTimeout: number,
    private readonly clock: Clock,
  ) {}

  start(): void {
    const interval = Math.max(1, Math.min(INTERVAL, this.abortTimeout / 2))
    this.timer = setInterval(() => {
      this.open.sweep(this.clock.monotonic(), this.abortTimeout)
      this.running.sweep()
    }, interval).unref()
  }

  /** Counts looks instead of time: a busy machine gives a handler as many turns of the event loop as an idle one. */
  startClosing(): void {
    this.stop()
    const abortTimeout = Math.min(this.abortTimeout, CLOSING_ABORT_TIMEOUT)
    let now = this.clock.monotonic()
    this.timer = setInterval(() => {
      now += CLOSING_INTERVAL
      this.open.sweep(now, abortTimeout)
    }, CLOSING_INTERVAL).unref()
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
