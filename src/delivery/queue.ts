import type { Entry } from './entry.js'

/** The most that one `write` is given. */
const BATCH_ENTRIES = 1000
const BATCH_BYTES = 1024 * 1024
/** The share of an enforced lane's bounds for all entries; the rest is for the outcomes of handlers that ran. */
const COMMON_SHARE = 0.5

/** The entries that wait for their batch, bounded in number and bytes. */
export class Queue {
  private entries: Entry[] = []
  /** The trail's own entries. They go before all others, and the bounds do not apply to them. */
  private own: Entry[] = []
  bytes = 0

  constructor(
    private readonly maxEntries: number,
    private readonly maxBytes: number,
  ) {}

  get length(): number {
    return this.own.length + this.entries.length
  }

  /** Whether a whole batch waits, or a quarter of what the bounds allow. */
  get isAmple(): boolean {
    const { length, bytes, maxEntries, maxBytes } = this
    return length >= Math.min(BATCH_ENTRIES, maxEntries / 4) || bytes >= Math.min(BATCH_BYTES, maxBytes / 4)
  }

  /** The waiting entry that is written last. */
  get last(): Entry | undefined {
    return this.entries.at(-1) ?? this.own.at(-1)
  }

  /** Whether an entry fits. Refuses a flood before its handlers run: their replies would have to be withheld. */
  hasRoomFor(entry: Entry): boolean {
    const { length, bytes, maxEntries, maxBytes } = this
    if (length >= maxEntries || bytes + entry.draft.size > maxBytes) return false
    return mayTakeTheRest(entry) || (length < maxEntries * COMMON_SHARE && bytes < maxBytes * COMMON_SHARE)
  }

  push(entry: Entry): void {
    this.entries.push(entry)
    this.bytes += entry.draft.size
  }

  pushOwn(entry: Entry): void {
    this.own.push(entry)
    this.bytes += entry.draft.size
  }

  /** Takes the next batch, with `gap` first if there is one: as many entries as fit, at least one. */
  take(gap: Entry | null): Entry[] {
    if (gap !== null) {
      this.own.unshift(gap)
      this.bytes += gap.draft.size
    }
    this.joinOwn()
    let count = 0
    let bytes = 0
    for (const entry of this.entries) {
      const size = entry.draft.size
      if (count === BATCH_ENTRIES || (count > 0 && bytes + size > BATCH_BYTES)) break
      count++
      bytes += size
    }
    this.bytes -= bytes
    const all = this.entries
    if (count === all.length) {
      this.entries = []
      return all
    }
    this.entries = all.slice(count)
    return all.slice(0, count)
  }

  /** Removes and returns the entries that `isDropped` picks. */
  drop(isDropped: (entry: Entry) => boolean): Entry[] {
    this.joinOwn()
    const dropped = this.entries.filter(isDropped)
    this.entries = this.entries.filter((entry) => !isDropped(entry))
    for (const entry of dropped) this.bytes -= entry.draft.size
    return dropped
  }

  private joinOwn(): void {
    if (this.own.length === 0) return
    this.entries = [...this.own, ...this.entries]
    this.own = []
  }
}

function mayTakeTheRest({ lane, waiter, countsAsLost }: Entry): boolean {
  return !lane.enforced || (waiter?.takesReserve === true && countsAsLost)
}
