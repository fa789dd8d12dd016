import { nextTick } from '../clock.js'

/** Share of an enforced sink's queue that one connection may use. */
const SHARE = 0.02

/** Limits of the records, and of their bytes, that one connection may have waiting for the sinks at once. */
export interface ConnectionBounds {
  readonly entries: number
  readonly bytes: number
}

/** Derives a connection's bounds from those of the enforced sinks. */
export function connectionBounds(
  enforced: readonly { readonly maxQueue: number; readonly maxQueueBytes: number }[],
): ConnectionBounds {
  return {
    entries: Math.max(1, Math.floor(SHARE * Math.min(...enforced.map(({ maxQueue }) => maxQueue)))),
    bytes: SHARE * Math.min(...enforced.map(({ maxQueueBytes }) => maxQueueBytes)),
  }
}

/** Prevents one client that sends many requests at once from filling the queues that all clients share. */
export class Connections {
  private readonly known = new WeakMap<object, Connection>()

  constructor(private readonly bounds: ConnectionBounds) {}

  /** Returns the connection of a socket or an HTTP/2 session. */
  of(socket: object): Connection {
    const known = this.known.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(this.bounds)
    this.known.set(socket, connection)
    return connection
  }
}

/** Counts the waiting records of one connection, and delays further ones until there is room. */
export class Connection {
  private entries = 0
  private bytes = 0
  /** Delayed outcomes; they go before new requests, because their replies are sent first. */
  private readonly outcomes = new Delayed()
  private readonly requests = new Delayed()
  private isGoingOn = false

  constructor(private readonly bounds: ConnectionBounds) {}

  /** Returns true if a record may be offered now. A connection may always have one record waiting. */
  hasRoomFor(size: number, isOutcome: boolean): boolean {
    const isNext = this.outcomes.isEmpty && (isOutcome || this.requests.isEmpty)
    return isNext && this.fits(size)
  }

  /** Calls `run` when there is room, after the earlier delayed ones of its kind. */
  delay(size: number, isOutcome: boolean, run: () => void): void {
    const delayed = isOutcome ? this.outcomes : this.requests
    delayed.push({ size, run })
  }

  /** Counts a record that waits for the sinks. */
  add(size: number): void {
    this.entries++
    this.bytes += size
  }

  /** Removes a record that the sinks have answered for, and continues with delayed ones. */
  remove(size: number): void {
    this.entries--
    this.bytes -= size
    this.goOn()
  }

  /** Runs delayed ones while there is room, each in its own tick: an exception in one does not stop the others. */
  private goOn(): void {
    if (this.isGoingOn || (this.outcomes.isEmpty && this.requests.isEmpty)) return
    this.isGoingOn = true
    nextTick(() => {
      this.isGoingOn = false
      const delayed = this.outcomes.isEmpty ? this.requests : this.outcomes
      if (!this.fits(delayed.firstSize)) return
      const run = delayed.shift()
      this.goOn()
      run?.()
    })
  }

  private fits(size: number): boolean {
    const { entries, bytes } = this.bounds
    return this.entries === 0 || (this.entries < entries && this.bytes + size <= bytes)
  }
}

interface DelayedRun {
  readonly size: number
  readonly run: () => void
}

/** First-in, first-out queue; `push` and `shift` take constant time on average. */
class Delayed {
  private runs: DelayedRun[] = []
  private head = 0

  get isEmpty(): boolean {
    return this.head === this.runs.length
  }

  /** Size of the next run's record. */
  get firstSize(): number {
    return this.runs[this.head]?.size ?? 0
  }

  push(run: DelayedRun): void {
    this.runs.push(run)
  }

  shift(): (() => void) | undefined {
    const first = this.runs[this.head]
    this.head++
    if (this.head * 2 >= this.runs.length) {
      this.runs = this.runs.slice(this.head)
      this.head = 0
    }
    return first?.run
  }
}
