import type { VerifiedRange, VerifyProblem, VerifyProblemKind } from './result.js'

/** The most problems, and the most ranges, that a result holds. */
const MOST = 1000

/** A place in a trail. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** Collects what is wrong with a trail, and what holds. */
export class Findings {
  readonly problems: VerifyProblem[] = []
  readonly holds: VerifiedRange[] = []
  problemCount = 0
  private last: VerifyProblem | null = null
  private range: VerifiedRange | null = null

  /** Adds a problem; successive lines with the same one are one problem. */
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

  /** Removes a problem that a later line explains. */
  remove(problem: VerifyProblem): void {
    const index = this.problems.indexOf(problem)
    if (index !== -1) this.problems.splice(index, 1)
    this.problemCount--
    if (this.last === problem) this.last = null
  }

  /** Removes all problems of a kind. */
  removeAll(kind: VerifyProblemKind): void {
    for (const problem of this.problems.filter((one) => one.kind === kind)) this.remove(problem)
  }

  /** Adds a line that holds; it follows the one before it, unless it `begins` a range. */
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

/** The kinds of problems that can go on from line to line. */
const RUNS: ReadonlySet<VerifyProblemKind> = new Set(['altered', 'unsealed', 'duplicated', 'key'])
