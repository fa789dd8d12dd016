const MAX_BUCKETS = 4096
const SECOND = 1000

/** One column of a chart. */
export interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly count: number
}

/** Counts by time, in spans that get longer as more of them have something in them. */
export class Timeline {
  private width = SECOND
  private buckets = new Map<number, number>()

  constructor(private readonly maxBuckets = MAX_BUCKETS) {}

  add(time: number): void {
    this.count(Math.floor(time / this.width), 1)
    while (this.buckets.size > this.maxBuckets) this.widen()
  }

  /** What was counted, in so many spans of one length at most, from the first to the last; and their length. */
  spans(limit: number): { width: number; spans: Span[] } {
    if (this.buckets.size === 0) return { width: this.width, spans: [] }
    let [first, last] = this.ends()
    while (last - first + 1 > limit) {
      this.widen()
      ;[first, last] = this.ends()
    }
    const spans = Array.from({ length: last - first + 1 }, (_, index) => ({
      from: (first + index) * this.width,
      count: this.buckets.get(first + index) ?? 0,
    }))
    return { width: this.width, spans }
  }

  /** What was counted, in spans of a length that a longer timeline has. */
  spansOf(width: number): Span[] {
    while (this.width < width) this.widen()
    return [...this.buckets].map(([bucket, count]) => ({ from: bucket * this.width, count }))
  }

  private ends(): [number, number] {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const bucket of this.buckets.keys()) {
      first = Math.min(first, bucket)
      last = Math.max(last, bucket)
    }
    return [first, last]
  }

  private widen(): void {
    const { buckets } = this
    this.width *= 2
    this.buckets = new Map()
    for (const [bucket, count] of buckets) this.count(Math.floor(bucket / 2), count)
  }

  private count(bucket: number, count: number): void {
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + count)
  }
}

const BARS = '▁▂▃▄▅▆▇█'

/** A chart of one line: a bar for each count, and a space for none. */
export function barsOf(counts: readonly number[]): string {
  const highest = Math.max(1, ...counts)
  return counts
    .map((count) => (count === 0 ? ' ' : BARS.charAt(Math.ceil((count / highest) * BARS.length) - 1)))
    .join('')
}
