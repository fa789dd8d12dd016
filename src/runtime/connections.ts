import { nextTick } from '../clock.js'

/** Of what may wait for an enforced sink, the part that one connection may have. */
const SHARE = 0.02

/** How many records, and bytes of them, the exchanges of one connection may have waiting for the sinks at once. */
export interface ConnectionBounds {
  readonly entries: number
  readonly bytes: number
}

/** The bounds of a connection by those of the sinks that requests wait for. */
export function connectionBounds(
  enforced: readonly { readonly maxQueue: number; readonly maxQueueBytes: number }[],
): ConnectionBounds {
  return {
    entries: Math.max(1, Math.floor(SHARE * Math.min(...enforced.map(({ maxQueue }) => maxQueue)))),
    bytes: SHARE * Math.min(...enforced.map(({ maxQueueBytes }) => maxQueueBytes)),
  }
}

/** Keeps one client, however many requests it sends at once, from taking the room of all others in the queues. */
export class Connections {
  private readonly known = new WeakMap<object, Connection>()

  constructor(private readonly bounds: ConnectionBounds) {}

  /** The connection over which a socket, or a session of HTTP/2, sends. */
  of(socket: object): Connection {
    const known = this.known.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(this.bounds)
    this.known.set(socket, connection)
    return connection
  }
}

/** Counts what one connection has waiting, and delays what is too much until there is room. */
export class Connection {
  private entries = 0
  private bytes = 0
  /** What is delayed: outcomes go before new requests, whose replies are sent after theirs. */
  private readonly outcomes = new Delayed()
  private readonly requests = new Delayed()
  private isGoingOn = false

  constructor(private readonly bounds: ConnectionBounds) {}

  /** Whether a record may be offered now. One always may. */
  hasRoomFor(size: number, isOutcome: boolean): boolean {
    const isNext = this.outcomes.isEmpty && (isOutcome || this.requests.isEmpty)
    return isNext && this.fits(size)
  }

  /** Calls `run` when there is room, after all that was delayed before. */
  delay(size: number, isOutcome: boolean, run: () => void): void {
    const delayed = isOutcome ? this.outcomes : this.requests
    delayed.push({ size, run })
  }

  /** A record waits for the sinks. */
  add(size: number): void {
    this.entries++
    this.bytes += size
  }

  /** A record is answered for: what was delayed may go on. */
  remove(size: number): void {
    this.entries--
    this.bytes -= size
    this.goOn()
  }

  /** Runs what there is room for, each in a turn of its own: what one of them throws keeps no other back. */
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

/** What is delayed, first in, first out; as fast for many as for few. */
class Delayed {
  private runs: DelayedRun[] = []
  private head = 0

  get isEmpty(): boolean {
    return this.head === this.runs.length
  }

  /** The size of the next one. */
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
