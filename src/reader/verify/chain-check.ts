import { GENESIS, type LineSeal } from '../../event/seal-line.js'
import type { Findings, Place } from './findings.js'
import type { VerifyProblem } from './result.js'

/** The number of lines whose hashes are remembered, so that memory does not grow with the trail. */
const WINDOW = 10_000
/** The most open questions: lines that follow one which was not found yet. */
const QUESTIONS = 1000

/** A line whose hash is right. */
export interface CheckedLine {
  readonly place: Place
  readonly seal: LineSeal
  /** The `chain` of the entry `seal`, if the line is one. */
  readonly begins: string | undefined
  /** The line is an entry `seal` that says that lines without a seal stand before it. */
  readonly followsUnsealed: boolean
}

/** A line that follows one that was not found yet. */
interface Question {
  readonly problem: VerifyProblem
  /** The hash of the line before it, where it stands. */
  readonly before: string
}

/** Finds where the lines of a trail do not follow one another, and why. */
export class ChainCheck {
  chains = 0
  /** The problem that the trail's first sealed line follows one that is not there. */
  beginning: VerifyProblem | null = null
  /** The hash of the line that is not there. */
  beginsAfter: string | undefined
  /** The hash that the next line must follow. */
  private head: string | null = null
  /** Other hashes that it may follow, because an earlier line was wrong; each with what to do then. */
  private others: Map<string, (() => void) | null> = new Map()
  /** The line before has no seal, so the next one may follow any. */
  private isAnything = false
  /** Lines without a seal before the first sealed one, which may say that they are right. */
  private unsealed: VerifyProblem[] = []
  /** The lines before this one, by their hashes. Two maps, because forgetting lines one by one doubles the time. */
  private seen = new Map<string, Place>()
  private seenBefore = new Map<string, Place>()
  private readonly wanted = new Map<string, Question>()
  /** Problems that no later line can explain. */
  private readonly final = new WeakSet<VerifyProblem>()
  /** Problems of lines that do not belong where they stand, by the hashes of the lines. */
  private readonly strays = new Map<string, VerifyProblem>()

  constructor(private readonly findings: Findings) {}

  /** The trail has had a sealed line. */
  get hasBegun(): boolean {
    return this.head !== null
  }

  /** Takes a line whose hash is right. */
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

  /** Takes a line that is not what was sealed. The next line may follow its old hash or the one that it has now. */
  takeAltered(seal: LineSeal, computed: string): void {
    const { head } = this
    if (head === null) this.chains++
    this.expect(seal.hash)
    this.others.set(computed, null)
    if (head !== null) this.others.set(head, null)
  }

  /** Takes a line without a seal. */
  takeUnsealed(place: Place): void {
    const problem = this.findings.add('unsealed', place, 'has no seal, and stands after lines that have one')
    if (this.head === null && this.unsealed.at(-1) !== problem) this.unsealed.push(problem)
    this.isAnything = true
  }

  /** Takes back the problem of lines without a seal before the first sealed one. */
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

  /** Takes a checkpoint. What it does not find explained stays a problem: without a key nobody explains it away later. */
  takeCheckpoint(): void {
    for (const { problem } of this.wanted.values()) this.final.add(problem)
  }

  /** Returns true if the line follows the one before it. */
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

  /** Takes the first sealed line of a trail. */
  private beginTrail(line: CheckedLine): boolean {
    const { seal, begins } = line
    if (seal.prev !== GENESIS) return this.beginMidway(line)
    // The lines before are older than the sealing, or of something else that writes to the same stream.
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
    this.beginsAfter = seal.prev
    return this.begin(seal.hash)
  }

  /** Takes a line that an earlier one was said to miss. */
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
    // If the next line follows the one before this line, this line does not belong here.
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

/** Says whether only refused lines are between the line of this hash and the one before. */
function leadsTo(before: string, hash: string, dropped: ReadonlyMap<string, string>): boolean {
  let at: string | undefined = hash
  // The list may go round in a circle.
  for (let steps = dropped.size; at !== undefined && at !== before && steps > 0; steps--) at = dropped.get(at)
  return at === before
}

function describe(place: Place | undefined): string {
  return place === undefined ? 'a line' : `line ${place.line} of ${JSON.stringify(place.file)}`
}
