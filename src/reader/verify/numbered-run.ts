import type { Findings, Place } from './findings.js'

/** The most holes that are remembered of one run. */
const MOST_HOLES = 1000

/** Numbers without a line, before the line at `place`. */
interface Hole {
  from: number
  to: number
  readonly place: Place
}

/** Checks the numbers of one run of a server. */
export class NumberedRun {
  /** Counts refused requests: the number of the first entry of each may be missing. */
  refused = 0
  private next = 1
  private holes: Hole[] = []
  private readonly gaps: Array<{ from: number; to: number }> = []
  /** Counts lost entries, by the gaps: each may be the outcome of a refused request. */
  private lost = 0

  constructor(
    private readonly findings: Findings,
    /** The first run of the trail, whose beginning may have been deleted with older files. */
    private readonly isFirst: boolean,
  ) {}

  take(seq: number, place: Place): void {
    if (seq < this.next) {
      if (this.fill(seq))
        this.findings.add('moved', place, `has number ${seq}, and stands after lines with higher ones`)
      else this.findings.add('duplicated', place, `has a number that another line has: ${seq}`)
      return
    }
    if (seq > this.next && this.holes.length < MOST_HOLES) this.holes.push({ from: this.next, to: seq - 1, place })
    this.next = seq + 1
  }

  /** Takes an entry `gap`. Any number in its range may be missing: each failed attempt to write the gap had one as well. */
  takeGap({ lost, from, to }: Record<string, unknown>): void {
    if (typeof from !== 'number' || typeof to !== 'number') return
    if (this.gaps.length < MOST_HOLES) this.gaps.push({ from, to })
    if (typeof lost === 'number' && lost > 0) this.lost += lost
  }

  /** Reports and counts what is missing without an account. */
  settle(isRetained: boolean): { missing: number; unaccounted: number } {
    const [first] = this.holes
    if (this.isFirst && isRetained && first?.from === 1) this.holes.shift()
    const untold = this.holes.flatMap((hole) => outside(hole, this.gaps))
    const unaccounted = Math.max(0, sizeOf(untold) - this.refused - this.lost)
    if (unaccounted > 0) for (const hole of untold) this.report(hole)
    return { missing: sizeOf(this.holes), unaccounted }
  }

  private report({ from, to, place }: Hole): void {
    const numbers = from === to ? `number ${from} is` : `numbers ${from} to ${to} are`
    const message = `has a higher number than the line before it in its run: ${numbers} missing, and no entry tells of it`
    this.findings.add('missing', place, message)
  }

  /** Returns true if the number was missing. */
  private fill(seq: number): boolean {
    const index = this.holes.findIndex(({ from, to }) => from <= seq && seq <= to)
    const hole = this.holes[index]
    if (hole === undefined) return false
    const parts = [
      { ...hole, to: seq - 1 },
      { ...hole, from: seq + 1 },
    ]
    this.holes.splice(index, 1, ...parts.filter(({ from, to }) => from <= to))
    return true
  }
}

function sizeOf(holes: readonly Hole[]): number {
  return holes.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

/** Returns the parts of a hole that are not in a gap. */
function outside(hole: Hole, gaps: ReadonlyArray<{ from: number; to: number }>): Hole[] {
  let parts = [hole]
  for (const gap of gaps) {
    parts = parts.flatMap((part) => [
      ...(part.from < gap.from ? [{ ...part, to: Math.min(part.to, gap.from - 1) }] : []),
      ...(part.to > gap.to ? [{ ...part, from: Math.max(part.from, gap.to + 1) }] : []),
    ])
  }
  return parts
}
