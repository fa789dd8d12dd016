import type { FollowUp, FollowUps, TrailExchange } from './trail-exchange.js'

type Kind = FollowUp['kind']

/** The most that is held of each kind; further ones are refused. */
const BOUNDS = { entries: 100_000, bytes: 64 * 1024 * 1024 }

interface Held {
  readonly followUp: FollowUp
  readonly bytes: number
}

/** Corrections and ends, by the ids of their exchanges, in bounded memory. */
export class HeldFollowUps {
  /** The number of entries beyond the bounds. */
  readonly refused: Record<Kind, number> = { correction: 0, end: 0 }
  private readonly held = { correction: new Map<string, Held>(), end: new Map<string, Held>() }
  private readonly bytes: Record<Kind, number> = { correction: 0, end: 0 }

  constructor(private readonly bounds = BOUNDS) {}

  /** Keeps the one with the highest `seq`: the order of files is not known yet. `bytes` is the length of its line. */
  take(followUp: FollowUp, bytes: number): void {
    const { kind, id, seq } = followUp
    const held = this.held[kind]
    const known = held.get(id)
    if (known === undefined && (held.size >= this.bounds.entries || this.bytes[kind] >= this.bounds.bytes)) {
      this.refused[kind]++
      return
    }
    if (seq !== undefined && (known?.followUp.seq ?? 0) > seq) return
    held.set(id, { followUp, bytes })
    this.bytes[kind] += bytes - (known?.bytes ?? 0)
  }

  /** Tells whether an exchange has one. */
  has(id: string): boolean {
    return this.held.correction.has(id) || this.held.end.has(id)
  }

  /** Applies those of an exchange to it. */
  applyTo(exchange: TrailExchange): TrailExchange {
    const { correction, end } = this.held
    let followed = exchange
    for (const held of [correction.get(exchange.id), end.get(exchange.id)]) {
      if (held !== undefined) followed = withFollowUp(followed, held.followUp)
    }
    return followed
  }
}

/** Applies a correction, or an end, to an exchange. */
export function withFollowUp(exchange: TrailExchange, { kind, content }: FollowUp): TrailExchange {
  if (kind === 'end') return { ...exchange, end: content }
  return exchange.type === 'action' ? correctedWork(exchange, content) : correctedRequest(exchange, content)
}

function correctedRequest(exchange: TrailExchange, correction: FollowUps['correction']): TrailExchange {
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

function correctedWork({ error, ...exchange }: TrailExchange, correction: FollowUps['correction']): TrailExchange {
  return {
    ...exchange,
    ...(correction.error !== undefined && { error: correction.error }),
    corrected: { ...(error !== undefined && { error }) },
  }
}
