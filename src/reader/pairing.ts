import type { CompiledQuery } from './query.js'
import type { Correction, TrailExchange, TrailRecord } from './record.js'

/** How much of what was received and is not complete yet is held. */
const OPEN_BOUNDS = { exchanges: 100_000, bytes: 64 * 1024 * 1024 }

type Staged = Extract<TrailRecord, { exchange: TrailExchange }>
type Emit = (exchange: TrailExchange) => void

interface Held {
  /** Absent when it does not match: its outcome must not be taken for one whose request is unknown. */
  readonly exchange: TrailExchange | undefined
  readonly bytes: number
}

/** Joins the two records of each exchange, and gives out what matches a query. Holds only what is open. */
export class Pairs {
  /** How many were let go of while they were open, because too many were. */
  forgotten = 0
  private readonly open = new Map<string, Held>()
  private bytes = 0

  constructor(
    private readonly query: CompiledQuery,
    private readonly corrections: ReadonlyMap<string, Correction>,
    private readonly bounds = OPEN_BOUNDS,
  ) {}

  /** Takes a record whose line has so many bytes. */
  add(record: Staged, bytes: number, emit: Emit): void {
    if (record.kind === 'received') this.receive(record, bytes, emit)
    else this.complete(record, emit)
  }

  /** Gives out what has no outcome, when all is read. */
  end(emit: Emit): void {
    for (const { exchange } of this.open.values()) this.emitOpen(exchange, emit)
    this.open.clear()
    this.bytes = 0
  }

  private receive({ exchange, isWhole }: Staged, bytes: number, emit: Emit): void {
    const matches = this.query.matchesRequest(exchange)
    // A whole second record needs nothing of the first; but of a corrected exchange the second may be missing.
    const mayStandAlone = this.query.takesOpen || this.corrections.has(exchange.id)
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
    this.emit(corrected(joined, this.corrections.get(joined.id)), emit)
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
    const correction = this.corrections.get(exchange.id)
    // What was sent is known, though its record is missing.
    if (correction !== undefined) {
      if (this.query.takesComplete) this.emit(corrected(exchange, correction), emit)
    } else if (this.query.takesOpen) this.emit({ ...exchange, open: true }, emit)
  }

  private emit(exchange: TrailExchange, emit: Emit): void {
    if (this.query.matches(exchange)) emit(exchange)
  }
}

/** Both records of format `rancher` as one; `undefined` when the first does not match. */
function join(received: TrailExchange | undefined, complete: TrailExchange): TrailExchange | undefined {
  return received === undefined ? undefined : { ...received, ...complete, timestamp: received.timestamp }
}

/** An exchange as a later correction has it. */
export function corrected(exchange: TrailExchange, correction: Correction | undefined): TrailExchange {
  if (correction === undefined) return exchange
  const { status_code, error, ...rest } = exchange.response ?? {}
  return {
    ...exchange,
    response: { ...rest, ...correction },
    corrected: {
      ...(status_code === undefined ? {} : { status_code }),
      ...(error === undefined ? {} : { error }),
    },
  }
}
