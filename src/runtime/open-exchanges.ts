import { clearTimeout, setTimeout } from '../clock.js'
import { type Linked, LinkedList } from './linked-list.js'

/** Members of an exchange that this list needs. */
export interface OpenExchange extends Linked<OpenExchange> {
  /** Monotonic time in milliseconds at which the client was first seen to be gone; 0 while it is there. */
  goneSince: number
  isClientGone(): boolean
  /** Called when the client has left and no reply came in time. */
  abandon(): void
  /** Called when the server closes and no reply came in time. */
  cutOff(): void
  /** Hides from Node that the exchange's held reply has ended, or stops hiding it. */
  hideEnd(isHidden: boolean): void
}

/** Maximum of exchanges to keep open after their client is gone. */
const MAX_GONE = 10_000

/** Lists the exchanges whose Complete is not decided. */
export class OpenExchanges extends LinkedList<OpenExchange> {
  private emptied: (() => void) | null = null

  override remove(exchange: OpenExchange): void {
    super.remove(exchange)
    if (this.count === 0) this.emptied?.()
  }

  /**
   * Gives up the exchanges whose client has been gone for `abortTimeout`. A periodic check of all exchanges costs less
   * than a listener on each.
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

  /** Resolves when no exchange is open, or after `timeout` milliseconds. */
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

  /** Calls Node's function that closes idle connections, without closing those whose reply is held. */
  closeIdle(close: () => void): void {
    for (const exchange of this) exchange.hideEnd(true)
    try {
      close()
    } finally {
      for (const exchange of this) exchange.hideEnd(false)
    }
  }
}
