import type { HeldFollowUps } from './follow-ups.js'
import type { CompiledQuery } from './query.js'
import type { Staged, TrailExchange } from './trail-exchange.js'

/** The most that is held of open exchanges. */
const OPEN_BOUNDS = { exchanges: 100_000, bytes: 64 * 1024 * 1024 }

type Emit = (exchange: TrailExchange) => void

interface Held {
  /** Absent if it does not match; it is held so that its outcome is not taken for one of an unknown request. */
  readonly exchange: TrailExchange | undefined
  readonly bytes: number
}

/** Joins the two records of each exchange, and emits those that match a query. Holds only open exchanges. */
export class Pairs {
  /** The number of exchanges that were emitted as open because too many were open at once. */
  forgotten = 0
  private readonly open = new Map<string, Held>()
  private bytes = 0

  constructor(
    private readonly query: CompiledQuery,
    private readonly followUps: HeldFollowUps,
    private readonly bounds = OPEN_BOUNDS,
  ) {}

  /** Takes a record; `bytes` is the length of its line. */
  add(record: Staged, bytes: number, emit: Emit): void {
    if (record.kind === 'received') this.receive(record, bytes, emit)
    else this.complete(record, emit)
  }

  /** Emits the exchanges that have no outcome, after everything is read. */
  end(emit: Emit): void {
    for (const { exchange } of this.open.values()) this.emitOpen(exchange, emit)
    this.open.clear()
    this.bytes = 0
  }

  private receive({ exchange, isWhole }: Staged, bytes: number, emit: Emit): void {
    const matches = this.query.matchesRequest(exchange)
    // A whole second record does not need the first; but an exchange that was corrected or has an end may lack its second.
    const mayStandAlone = this.query.takesOpen || this.followUps.has(exchange.id)
    if (isWhole && !(matches && mayStandAlone)) return
    this.release(exchange.id)
    const held = matches ? { exchange, bytes } : { exchange: undefined, bytes: 0 }
    this.open.set(exchange.id, held)
    this.bytes += held.bytes
    while (this.open.size > this.bounds.exchanges || this.bytes > this.bounds.bytes) this.forgetOldest(emit)
  }

  private complete({ exchange, isWhole }: Staged, emit: Emit): void {
    const held = this.release(exchange.id)
    if (!this.query.takesComplete) return
    const joined = isWhole || held === undefined ? exchange : join(held.exchange, exchange)
    if (joined === undefined) return
    this.emit(this.followUps.applyTo(joined), emit)
  }

  private release(id: string): Held | undefined {
    const held = this.open.get(id)
    if (held === undefined) return undefined
    this.open.delete(id)
    this.bytes -= held.bytes
    return held
  }

  private forgetOldest(emit: Emit): void {
    for (const [id, { exchange }] of this.open) {
      this.release(id)
      this.forgotten++
      this.emitOpen(exchange, emit)
      return
    }
  }

  private emitOpen(exchange: TrailExchange | undefined, emit: Emit): void {
    if (exchange === undefined) return
    // What followed says that there was an outcome, although `OperationComplete` is missing.
    if (this.followUps.has(exchange.id)) {
      if (this.query.takesComplete) this.emit(this.followUps.applyTo(exchange), emit)
    } else if (this.query.takesOpen) this.emit({ ...exchange, open: true }, emit)
  }

  private emit(exchange: TrailExchange, emit: Emit): void {
    if (this.query.matches(exchange)) emit(exchange)
  }
}

/** Joins both records of format `rancher`; `undefined` if the first does not match. */
function join(received: TrailExchange | undefined, complete: TrailExchange): TrailExchange | undefined {
  return received === undefined ? undefined : { ...received, ...complete, timestamp: received.timestamp }
}
