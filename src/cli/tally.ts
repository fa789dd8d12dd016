/** Further keys are counted together, so that clients cannot fill the memory with invented ones. */
const MAX_KEYS = 20_000

export interface Count {
  total: number
  /** Of these, the ones with a status of 400 or more. */
  errors: number
}

/** Counts by a key. */
export class Tally {
  /** The count of all keys beyond the bound. */
  readonly others: Count = { total: 0, errors: 0 }
  private readonly counts = new Map<string, Count>()

  constructor(private readonly maxKeys = MAX_KEYS) {}

  add(key: string, isError: boolean): void {
    const count = this.countOf(key)
    count.total++
    if (isError) count.errors++
  }

  /** The number of different keys, up to the bound. */
  get size(): number {
    return this.counts.size
  }

  /** The keys with the highest counts, highest first. */
  top(limit: number): Array<Count & { key: string }> {
    return [...this.counts]
      .map(([key, count]) => ({ key, ...count }))
      .sort((one, other) => other.total - one.total)
      .slice(0, limit)
  }

  private countOf(key: string): Count {
    const known = this.counts.get(key)
    if (known !== undefined) return known
    if (this.counts.size >= this.maxKeys) return this.others
    const count = { total: 0, errors: 0 }
    this.counts.set(key, count)
    return count
  }
}
