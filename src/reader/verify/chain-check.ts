import { GENESIS, type LineSeal } from '../../event/seal-line.js'
import type { Findings, Place } from './findings.js'
import type { VerifyProblem } from './result.js'

/** How many lines back a line is recognized, so that memory does not grow with the trail. */
const WINDOW = 10_000
/** How many open questions are kept: which line a line that follows none was meant to follow. */
const QUESTIONS = 1000

/** What is known of a line whose hash was computed. */
export interface CheckedLine {
  readonly place: Place
  readonly seal: LineSeal
  /** How the entry `seal` says that the chain goes on, if the line is that entry. */
  readonly begins: string | undefined
}

/** Finds where the lines of a trail do not follow one another, and makes out why. */
export class ChainCheck {
  chains = 0
  /** The trail's first sealed line, when it follows one that is not there. */
  beginning: VerifyProblem | null = null
  /** The hash of that line. */
  beginsBehind: string | undefined
  /** The hash that the next line must name, and others that it may: it explains then what was wrong before it. */
  private head: string | null = null
  private others: Map<string, (() => void) | null> = new Map()
  /** After a line that is not sealed nobody knows what the next one must name. */
  private isAnything = false
  /** Lines without a seal that stand before this one, and are a problem unless this one says otherwise. */
  private unsealed: VerifyProblem[] = []
  /** The lines before this one, by their hashes, in two generations: to forget them one by one takes as long as all else. */
  private seen = new Map<string, Place>()
  private seenBefore = new Map<string, Place>()
  private readonly wanted = new Map<string, VerifyProblem>()
  /** What no later line can explain. */
  private readonly final = new WeakSet<VerifyProblem>()
  /** Lines that do not belong where they stand. */
  private readonly strays = new Map<string, VerifyProblem>()

  constructor(private readonly findings: Findings) {}

  /** A line that is sealed as it says. */
  take(line: CheckedLine): void {
    const { place, seal } = line
    const isNew = this.placeOf(seal.hash) === undefined
    const isLinked = this.link(line, isNew)
    if (isNew) this.remember(seal.hash, place)
    this.findings.hold(place, !isLinked)
  }

  /** A line that is not what was sealed: it may have been named by its old hash or by what it has now. */
  takeAltered(seal: LineSeal, computed: string): void {
    const { head } = this
    if (head === null) this.chains++
    this.expect(seal.hash)
    this.others.set(computed, null)
    if (head !== null) this.others.set(head, null)
  }

  /** A line without a seal. */
  takeUnsealed(place: Place): void {
    const problem = this.findings.add('unsealed', place, 'has no seal, and stands among lines that have one')
    if (this.unsealed.at(-1) !== problem) this.unsealed.push(problem)
    this.isAnything = true
  }

  /** Lines without a seal, since the last one that has one, are none that need one. */
  forgetUnsealed(): void {
    for (const problem of this.unsealed) this.findings.remove(problem)
    this.unsealed = []
  }

  /** Lines that a line names, and that the sink refused. */
  explain(dropped: readonly string[]): void {
    for (const hash of dropped) {
      const problem = this.wanted.get(hash)
      if (problem === undefined || this.final.has(problem)) continue
      this.findings.remove(problem)
      this.wanted.delete(hash)
    }
  }

  /** A checkpoint: of none before which anything is left to explain, so that who cannot sign explains nothing away. */
  takeCheckpoint(): void {
    for (const problem of this.wanted.values()) this.final.add(problem)
  }

  /** True when the line follows the one before it. */
  private link(line: CheckedLine, isNew: boolean): boolean {
    const { head } = this
    const { prev, hash } = line.seal
    if (head !== null && prev === head) return this.follow(hash)
    if (prev === GENESIS && this.mayBegin(line)) return this.begin(hash)
    if (head === null) return this.beginMidway(line)
    if (!isNew) {
      this.findings.add('duplicated', line.place, `repeats ${describe(this.placeOf(hash))}`)
      return false
    }
    const question = this.wanted.get(hash)
    if (question !== undefined) return this.moved(question, line)
    const explain = this.others.get(prev)
    if (explain !== undefined) {
      explain?.()
      return this.follow(hash)
    }
    const stray = this.strays.get(prev)
    if (stray !== undefined) {
      Object.assign(stray, {
        kind: 'moved',
        message: `stands before the line that it follows, and belongs before ${describe(line.place)}`,
      })
      return this.follow(hash)
    }
    if (this.isAnything) return this.follow(hash)
    return this.broken(line, head)
  }

  private follow(hash: string): boolean {
    this.expect(hash)
    return true
  }

  private expect(hash: string): void {
    this.head = hash
    this.isAnything = false
    if (this.unsealed.length > 0) this.unsealed = []
    if (this.others.size > 0) this.others = new Map()
  }

  private mayBegin({ begins }: CheckedLine): boolean {
    if (begins === 'unsealed' || begins === 'unknown') {
      // Before sealing was switched on, or from whoever else writes to where the sink does.
      this.forgetUnsealed()
      return begins === 'unknown' || this.isAnything || this.head === null
    }
    return this.head === null
  }

  private begin(hash: string): boolean {
    this.chains++
    this.expect(hash)
    return false
  }

  private beginMidway({ place, seal }: CheckedLine): boolean {
    this.beginning = this.findings.add(
      'begins-in-the-middle',
      place,
      'follows a line that is not here, and no `retention` entry says that older files were deleted',
    )
    this.beginsBehind = seal.prev
    return this.begin(seal.hash)
  }

  /** The line that another one was missing. */
  private moved(question: VerifyProblem, { place, seal }: CheckedLine): boolean {
    question.kind = 'moved'
    question.message = `stands before the line that it follows, which is ${describe(place)}`
    this.wanted.delete(seal.hash)
    this.others.set(seal.hash, null)
    return false
  }

  private broken({ place, seal }: CheckedLine, head: string): boolean {
    const { prev, hash } = seal
    const known = this.placeOf(prev)
    let problem: VerifyProblem
    if (prev === GENESIS) {
      problem = this.findings.add('begins-anew', place, 'begins a chain, although there are lines before it')
    } else if (known !== undefined) {
      const next = { file: known.file, line: known.line + 1 }
      problem = this.findings.add(
        'inserted',
        next,
        `stands between ${describe(known)} and ${describe(place)}, which follows it`,
      )
      if (known.file === place.file) problem.to = place.line - 1
    } else {
      problem = this.findings.add(
        'missing',
        place,
        'does not follow the line before it: lines are missing, or it is of another chain',
      )
      if (this.wanted.size < QUESTIONS) this.wanted.set(prev, problem)
    }
    this.expect(hash)
    // If the next line follows the one before this, it is this one that does not belong here.
    this.others.set(head, () => {
      Object.assign(problem, {
        kind: 'inserted',
        ...place,
        to: place.line,
        message: 'does not belong between its neighbours',
      })
      this.wanted.delete(prev)
      if (this.strays.size < QUESTIONS) this.strays.set(hash, problem)
    })
    return false
  }

  private placeOf(hash: string): Place | undefined {
    return this.seen.get(hash) ?? this.seenBefore.get(hash)
  }

  private remember(hash: string, place: Place): void {
    this.seen.set(hash, place)
    if (this.seen.size < WINDOW) return
    this.seenBefore = this.seen
    this.seen = new Map()
  }
}

function describe(place: Place | undefined): string {
  return place === undefined ? 'a line' : `line ${place.line} of ${JSON.stringify(place.file)}`
}
