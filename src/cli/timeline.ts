const MAX_BUCKETS = 4096
const SECOND = 1000

/** One column of a chart. */
export interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly count: number
}

/** Counts by time, in spans of one length, which doubles when there are too many of them. */
export class Timeline {
  private width = SECOND
  private buckets = new Map<number, number>()

  constructor(private readonly maxBuckets = MAX_BUCKETS) {}

  add(time: number): void {
    this.count(Math.floor(time / this.width), 1)
    while (this.buckets.size > this.maxBuckets) this.widen()
  }

  /** The counts from the first to the last, in at most `limit` spans, and the length of these. */
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

  /** The counts in spans of a length that another timeline has, which is not shorter. */
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

/** Draws a chart of one line: a bar for each count, a space for 0. */
export function barsOf(counts: readonly number[]): string {
  const highest = Math.max(1, ...counts)
  return counts
    .map((count) => (count === 0 ? ' ' : BARS.charAt(Math.ceil((count / highest) * BARS.length) - 1)))
    .join('')
}
