import type { LifecycleDetails } from '../event/event.js'
import { BatchError } from '../sinks/batch-error.js'
import type { Entry } from './entry.js'

/** Entries that a sink's trail lacks and has not reported yet. */
interface Gap {
  lost: number
  inDoubt: number
  from: number
  to: number
}

/** How many of one sink's entries had which fate, and how many batches it was given. */
export interface DeliveryCounts {
  stored: number
  notStored: number
  inDoubt: number
  lost: number
  batches: number
}

/** Numbers one sink's entries, counts their fates, and keeps the gap that the trail has not reported yet. */
export class DeliveryAccounting {
  readonly counts: DeliveryCounts = { stored: 0, notStored: 0, inDoubt: 0, lost: 0, batches: 0 }
  /** The last number given out. */
  seq = 0
  /** The number of the last entry that was stored. */
  private lastStored = 0
  private gap: Gap | null = null
  /** The gap that is being reported, and the entry that reports it. */
  private told: { gap: Gap; entry: Entry } | null = null

  get hasGap(): boolean {
    return this.gap !== null
  }

  number(entry: Entry): void {
    entry.seq = ++this.seq
  }

  countBatch(): void {
    this.counts.batches++
  }

  /** Counts an entry that never reached the sink. It still gets a number, so that the trail shows its absence. */
  miss(entry: Entry): void {
    this.number(entry)
    this.lose(entry, 'not stored')
  }

  lose(entry: Entry, fate: 'not stored' | 'in doubt'): void {
    const inDoubt = fate === 'in doubt'
    entry.fate = fate
    if (inDoubt) this.counts.inDoubt++
    else this.counts.notStored++
    if (!inDoubt && entry.countsAsLost) this.counts.lost++
    if (inDoubt || entry.countsAsLost) {
      this.widen({ lost: inDoubt ? 0 : 1, inDoubt: inDoubt ? 1 : 0, from: entry.seq, to: entry.seq })
    }
  }

  /** Counts a batch as in doubt after its timeout. It may still be stored, so the gap does not include it. */
  doubt(batch: readonly Entry[]): void {
    for (const entry of batch) entry.fate = 'in doubt'
    this.counts.inDoubt += batch.length
  }

  /** Takes the last `count` stored entries for entries in doubt: they may be gone. */
  doubtStored(count: number): void {
    const to = this.lastStored
    this.counts.stored -= count
    this.counts.inDoubt += count
    this.widen({ lost: 0, inDoubt: count, from: Math.max(1, to - count + 1), to })
  }

  /** Counts a batch by the sink's answer; a `late` one was in doubt. Returns true if anything of it is stored. */
  settle(batch: readonly Entry[], error: unknown, late: boolean): boolean {
    if (late) this.counts.inDoubt -= batch.length
    const before = this.counts.stored
    if (error === undefined) for (const entry of batch) this.store(entry)
    else this.settleFailed(batch, error)
    if (this.told !== null && this.told.entry.fate !== 'stored') this.untell(this.told)
    this.told = null
    return this.counts.stored > before
  }

  /** Returns the entry that `write` makes of the gap, if there is one. The gap is kept if that entry is not stored. */
  tellGap(write: (details: LifecycleDetails['gap']) => Entry): Entry | null {
    const gap = this.gap
    if (gap === null) return null
    const entry = write({ lost: gap.lost, in_doubt: gap.inDoubt, from: gap.from, to: gap.to })
    this.told = { gap, entry }
    this.gap = null
    return entry
  }

  private settleFailed(batch: readonly Entry[], error: unknown): void {
    const failed = new Set<unknown>(error instanceof BatchError ? error.failed : batch)
    const inDoubt = new Set<unknown>(error instanceof BatchError ? error.inDoubt : [])
    for (const entry of batch) {
      if (inDoubt.has(entry)) this.lose(entry, 'in doubt')
      else if (failed.has(entry)) this.lose(entry, 'not stored')
      else this.store(entry)
    }
  }

  private store(entry: Entry): void {
    entry.fate = 'stored'
    this.counts.stored++
    this.lastStored = entry.seq
  }

  /** Restores the gap, and includes the number of the entry that should have reported it. */
  private untell({ gap, entry }: { gap: Gap; entry: Entry }): void {
    this.widen({ ...gap, to: Math.max(gap.to, entry.seq) })
  }

  private widen(by: Gap): void {
    const gap = this.gap
    if (gap === null) {
      this.gap = { ...by }
      return
    }
    gap.lost += by.lost
    gap.inDoubt += by.inDoubt
    gap.from = Math.min(gap.from, by.from)
    gap.to = Math.max(gap.to, by.to)
  }
}
