import { clearTimeout, setTimeout } from '../clock.js'

/** What of an exchange these lists need. */
export interface OpenExchange {
  previous: OpenExchange | null
  following: OpenExchange | null
  /** When its client was first seen to be gone, in monotonic milliseconds; 0 while it is there. */
  goneSince: number
  isClientGone(): boolean
  /** Its client has left, and no reply came in time. */
  abandon(): void
  /** The server closes, and no reply came in time. */
  cutOff(): void
  /** Has Node take the exchange's held reply for one that has not ended. */
  hideEnd(isHidden: boolean): void
}

/** No more exchanges than this whose client is gone are waited for. */
const MAX_GONE = 10_000

/** The exchanges whose Complete is not decided yet, oldest first. Linked by themselves: no allocation for one more. */
export class OpenExchanges {
  count = 0
  private first: OpenExchange | null = null
  private last: OpenExchange | null = null
  private emptied: (() => void) | null = null

  add(exchange: OpenExchange): void {
    exchange.previous = this.last
    if (this.last === null) this.first = exchange
    else this.last.following = exchange
    this.last = exchange
    this.count++
  }

  remove(exchange: OpenExchange): void {
    const { previous, following } = exchange
    if (previous === null) this.first = following
    else previous.following = following
    if (following === null) this.last = previous
    else following.previous = previous
    exchange.previous = null
    exchange.following = null
    this.count--
    if (this.count === 0) this.emptied?.()
  }

  /**
   * Gives up the exchanges whose client has been gone for `abortTimeout`. One look at all of them now and then costs
   * less than a listener on each.
   */
  sweep(now: number, abortTimeout: number): void {
    let gone = 0
    for (const exchange of this) {
      if (exchange.goneSince === 0) {
        if (!exchange.isClientGone()) continue
        exchange.goneSince = now
      }
      gone++
      if (now - exchange.goneSince >= abortTimeout || gone > MAX_GONE) exchange.abandon()
    }
  }

  /** Resolves when none is open any more, or after `timeout` milliseconds. */
  whenEmpty(timeout: number): Promise<void> {
    if (this.count === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout)
      this.emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  cutOff(): void {
    for (const exchange of this) exchange.cutOff()
  }

  /** Calls a function of Node's that closes idle connections: one whose reply is held is not idle. */
  closeIdle(close: () => void): void {
    for (const exchange of this) exchange.hideEnd(true)
    try {
      close()
    } finally {
      for (const exchange of this) exchange.hideEnd(false)
    }
  }

  *[Symbol.iterator](): Generator<OpenExchange> {
    let exchange = this.first
    while (exchange !== null) {
      const { following } = exchange
      yield exchange
      exchange = following
    }
  }
}
