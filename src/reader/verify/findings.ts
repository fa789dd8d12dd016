import type { VerifiedRange, VerifyProblem, VerifyProblemKind } from './result.js'

/** The most that a result holds of problems, and of ranges. */
const MOST = 1000

/** A place in a trail. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** What is wrong with a trail, and what holds; of both the first ones, and how many. */
export class Findings {
  readonly problems: VerifyProblem[] = []
  readonly holds: VerifiedRange[] = []
  problemCount = 0
  private last: VerifyProblem | null = null
  private range: VerifiedRange | null = null

  /** Something is wrong; lines one behind the other that have the same wrong are one problem. */
  add(kind: VerifyProblemKind, { file, line }: Place, message: string): VerifyProblem {
    const { last } = this
    const isMore = last?.kind === kind && last.file === file && line === last.to + 1 && RUNS.has(kind)
    if (isMore) {
      last.to = line
      return last
    }
    this.last = { kind, file, line, to: line, message }
    this.problemCount++
    if (this.problems.length < MOST) this.problems.push(this.last)
    return this.last
  }

  /** A problem that is explained by what came later. */
  remove(problem: VerifyProblem): void {
    const index = this.problems.indexOf(problem)
    if (index !== -1) this.problems.splice(index, 1)
    this.problemCount--
    if (this.last === problem) this.last = null
  }

  /** Takes back what was said of lines because it was not known how they were sealed. */
  removeAll(kind: VerifyProblemKind): void {
    for (const problem of this.problems.filter((one) => one.kind === kind)) this.remove(problem)
  }

  /** A line holds, and follows the one before it, unless it `begins` a range. */
  hold({ file, line }: Place, begins: boolean): void {
    const { range } = this
    if (!begins && range?.file === file && range.to === line - 1) {
      range.to = line
      return
    }
    this.range = { file, from: line, to: line }
    if (this.holds.length < MOST) this.holds.push(this.range)
  }
}

/** What can go on from line to line. */
const RUNS: ReadonlySet<VerifyProblemKind> = new Set(['altered', 'unsealed', 'duplicated', 'key'])
