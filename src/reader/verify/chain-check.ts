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
  /** The entry `seal` says that lines without a seal stand before it. */
  readonly followsUnsealed: boolean
}

/** A line that follows one that was not found yet. */
interface Question {
  readonly problem: VerifyProblem
  /** The hash of the line before it, where it stands. */
  readonly before: string
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
  /** Lines without a seal before the first one that has one, which may say that they are no problem. */
  private unsealed: VerifyProblem[] = []
  /** The lines before this one, by their hashes, in two generations: to forget them one by one takes as long as all else. */
  private seen = new Map<string, Place>()
  private seenBefore = new Map<string, Place>()
  private readonly wanted = new Map<string, Question>()
  /** What no later line can explain. */
  private readonly final = new WeakSet<VerifyProblem>()
  /** Lines that do not belong where they stand. */
  private readonly strays = new Map<string, VerifyProblem>()

  constructor(private readonly findings: Findings) {}

  /** A sealed line was there. */
  get hasBegun(): boolean {
    return this.head !== null
  }

  /** A line that is sealed as it says. */
  take(line: CheckedLine): void {
    const { place, seal } = line
    const isNew = this.placeOf(seal.hash) === undefined
    if (line.followsUnsealed && this.head !== null && !this.isAnything) {
      this.findings.add('unsealed', place, 'says that lines without a seal stood before it, and they are not there')
    }
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
    const problem = this.findings.add('unsealed', place, 'has no seal, and stands after lines that have one')
    if (this.head === null && this.unsealed.at(-1) !== problem) this.unsealed.push(problem)
    this.isAnything = true
  }

  /** The lines without a seal before the first sealed one need none. */
  forgetUnsealed(): void {
    for (const problem of this.unsealed) this.findings.remove(problem)
    this.unsealed = []
  }

  /** Takes lines that the sink refused, by their hashes, each with the line that it follows. */
  explain(dropped: ReadonlyMap<string, string>): void {
    for (const hash of dropped.keys()) {
      const question = this.wanted.get(hash)
      if (question === undefined || this.final.has(question.problem)) continue
      // They explain nothing else: a stored line that stood before them may have been removed as well.
      if (!leadsTo(question.before, hash, dropped)) continue
      this.findings.remove(question.problem)
      this.wanted.delete(hash)
    }
  }

  /** A checkpoint: of none before which anything is left to explain, so that who cannot sign explains nothing away. */
  takeCheckpoint(): void {
    for (const { problem } of this.wanted.values()) this.final.add(problem)
  }

  /** True when the line follows the one before it. */
  private link(line: CheckedLine, isNew: boolean): boolean {
    const { head } = this
    const { prev, hash } = line.seal
    if (head !== null && prev === head) return this.follow(hash)
    if (head === null) return this.beginTrail(line)
    if (!isNew) {
      this.findings.add('duplicated', line.place, `repeats ${describe(this.placeOf(hash))}`)
      return false
    }
    if (prev === GENESIS && line.begins === 'unknown') return this.begin(hash)
    const question = this.wanted.get(hash)
    if (question !== undefined) return this.moved(question.problem, line)
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

  /** The first sealed line of a trail. */
  private beginTrail(line: CheckedLine): boolean {
    const { seal, begins } = line
    if (seal.prev !== GENESIS) return this.beginMidway(line)
    // Lines from before sealing was switched on, or of whoever else writes to where the sink does.
    if (begins === 'unsealed' || begins === 'unknown') this.forgetUnsealed()
    return this.begin(seal.hash)
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
      if (this.wanted.size < QUESTIONS) this.wanted.set(prev, { problem, before: head })
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

/** Whether the line of this hash follows the other one over refused lines alone. */
function leadsTo(before: string, hash: string, dropped: ReadonlyMap<string, string>): boolean {
  let at: string | undefined = hash
  // No longer than the list, which may have been made to go round in a circle.
  for (let steps = dropped.size; at !== undefined && at !== before && steps > 0; steps--) at = dropped.get(at)
  return at === before
}

function describe(place: Place | undefined): string {
  return place === undefined ? 'a line' : `line ${place.line} of ${JSON.stringify(place.file)}`
}
