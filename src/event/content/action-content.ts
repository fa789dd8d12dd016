import { type ChangeReport, guarded } from '../../redact/change-report.js'
import type { Outcome, Target } from '../action.js'
import { writeAction, writeTarget, writeText } from '../formats/json-action.js'
import { BOUNDS } from '../limits.js'
import type { Misuse } from '../misuse.js'
import { type AskTargets, askTargets } from './ask-targets.js'
import type { Capture } from './capture.js'
import type { ChangeList, ChangesOptions } from './changes.js'
import { MOST_LISTED, targetList } from './target-list.js'

const TOO_MANY = 'too many targets'
/** Key of all targets that are not known: they were given wrongly, or are too many to be kept. */
const UNKNOWN = ''

const OUTCOMES: ReadonlySet<unknown> = new Set<Outcome>(['success', 'failure', 'denied'])

/** Facts about an action by which filters and sinks choose, bounded and not redacted. */
export interface KnownAction {
  readonly action: string | undefined
  /** Each as `type:id`; one that is empty stands for those that are not known. */
  readonly targets: readonly string[]
  readonly outcome: Outcome | undefined
}

/**
 * The action of one request or one piece of work: its name, targets, outcome and changes, as JSON that is redacted and
 * bounded when they are given. A wrong value is counted and logged, and costs the record that value alone.
 */
export class ActionContent {
  /** Cuts and redactions since the last record; the next record reports them. */
  private marks: ChangeReport
  private name: string | undefined
  private nameJson = ''
  /** The JSON of each target, by its key; empty if it is left out of the record. */
  private readonly targets = new Map<string, string>()
  private outcomeGiven: Outcome | undefined
  private reasonJson = ''
  private changeList: ChangeList | undefined
  /** Called again for the second record if it gave no target for the first. */
  private askAgain: AskTargets | null = null

  constructor(
    private readonly capture: Capture,
    private readonly misuse: Misuse,
    private readonly changes: ChangeReport,
  ) {
    this.marks = changes.ofPart()
  }

  /** Sets the name; the last one stands. */
  setName(name: unknown): boolean {
    if (typeof name !== 'string' || name === '') return this.refuse('action', 'an action whose name is not a text')
    this.name = name.slice(0, BOUNDS.identity)
    return this.write('action', (marks) => {
      this.nameJson = writeText(name, BOUNDS.identity, 'action', marks)
    })
  }

  addTarget(target: unknown): boolean {
    const read = readTarget(target)
    if (read === undefined) {
      this.targets.set(UNKNOWN, '')
      return this.refuse('targets.*', 'a target without a `type` and an `id` that are texts')
    }
    const key = keyOf(read)
    if (this.targets.has(key)) return true
    if (this.targets.size >= BOUNDS.targets) return this.leaveOut(key)
    // Filters meet a target that is left out.
    this.targets.set(key, '')
    if (this.changes.redactor.omits('targets')) return true
    return this.write('targets', (marks) => {
      this.targets.set(key, writeTarget(read.type, read.id, read.name, marks))
    })
  }

  /** Adds a target, or each of a list; of a long list, the first ones. */
  addTargets(given: unknown): void {
    for (const [index, target] of this.listed(given).entries()) {
      if (index < MOST_LISTED) this.addTarget(target)
      else this.leaveOut(UNKNOWN)
    }
  }

  /** Asks the application for the targets now, and once more for the second record if it gives none. */
  takeTargets(ask: AskTargets): void {
    const targets = askTargets(ask, null)
    if (targets.length === 0) this.askAgain = ask
    this.addTargets(targets)
  }

  /** Sets how it ended, instead of what the status says; the last one stands. */
  setOutcome(outcome: unknown, reason: unknown): boolean {
    if (!isOutcome(outcome)) return this.refuse('outcome', "an outcome that is not 'success', 'failure' or 'denied'")
    this.outcomeGiven = outcome
    return this.setReason(reason)
  }

  /** Sets the reason of the outcome, or clears it. */
  setReason(reason: unknown): boolean {
    this.reasonJson = ''
    if (reason === undefined || reason === null || this.changes.redactor.omits('reason')) return true
    if (typeof reason !== 'string') return this.refuse('reason', 'a reason that is not a text')
    return this.write('reason', (marks) => {
      this.reasonJson = writeText(reason, BOUNDS.error, 'reason', marks)
    })
  }

  /** Adds the changes between two values to those that were given before. */
  addChanges(before: unknown, after: unknown, options: ChangesOptions | undefined): boolean {
    if (this.changes.redactor.omits('changes')) return true
    this.changeList ??= this.capture.changes(this.changes)
    return this.changeList.add(before, after, options)
  }

  /** True if the application has set how it ended. */
  get hasOutcome(): boolean {
    return this.outcomeGiven !== undefined
  }

  known(implied: Outcome | undefined): KnownAction {
    return { action: this.name, targets: [...this.targets.keys()].map(nameOf), outcome: this.outcomeGiven ?? implied }
  }

  /** Returns the members for the record of a beginning, in which no outcome is known. */
  begun(): string {
    return this.toJson(undefined, '', '')
  }

  /** Returns the members for the record of an end; `implied`: the outcome unless the application has set one. */
  ended(implied: Outcome | undefined): string {
    if (this.askAgain !== null) this.addTargets(askTargets(this.askAgain, this.misuse))
    this.askAgain = null
    return this.toJson(this.outcomeGiven ?? implied, this.reasonJson, this.changeList?.toJson() ?? '')
  }

  private toJson(outcome: Outcome | undefined, reason: string, changes: string): string {
    this.changes.add(this.marks)
    this.marks = this.changes.ofPart()
    const targets = [...this.targets.values()].filter((json) => json !== '').join(',')
    return writeAction({ name: this.nameJson, targets, outcome, reason, changes })
  }

  /** Writes one part; returns false if something of it was cut or left out. */
  private write(path: string, write: (marks: ChangeReport) => void): boolean {
    const marks = this.changes.ofPart()
    guarded(path, marks, () => {
      write(marks)
      return ''
    })
    this.marks.add(marks)
    return marks.truncated === undefined && marks.omitted === undefined
  }

  /** Leaves a target out of the record; filters and sinks meet it all the same. */
  private leaveOut(key: string): false {
    this.targets.set(this.targets.size < MOST_LISTED ? key : UNKNOWN, '')
    this.marks.markOmitted('targets.*', TOO_MANY)
    return false
  }

  private listed(given: unknown): readonly unknown[] {
    try {
      return targetList(given)
    } catch {
      this.targets.set(UNKNOWN, '')
      this.refuse('targets', 'a list of targets that cannot be read')
      return []
    }
  }

  private refuse(path: string, what: string): false {
    this.marks.markOmitted(path, 'not valid')
    this.misuse.note(`${what} was given, and is not recorded`)
    return false
  }
}

function isOutcome(value: unknown): value is Outcome {
  return OUTCOMES.has(value)
}

interface ReadTarget {
  readonly type: string
  readonly id: string
  readonly name: string | undefined
}

/** Returns what tells targets apart: a type may hold colons, as an id may. */
function keyOf({ type, id }: ReadTarget): string {
  return `${type.length}:${`${type}:${id}`.slice(0, 2 * BOUNDS.identity + 1)}`
}

/** Returns the target of a key as `type:id`. */
function nameOf(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}

/** Reads what should be a target. Callers without types may give anything, and a getter may throw. */
function readTarget(target: unknown): ReadTarget | undefined {
  if (typeof target !== 'object' || target === null) return undefined
  try {
    const { type, id, name }: Partial<Record<keyof Target, unknown>> = target
    const isId = typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint'
    if (typeof type !== 'string' || type === '' || !isId || id === '') return undefined
    return { type, id: String(id), name: typeof name === 'string' ? name : undefined }
  } catch {
    return undefined
  }
}
