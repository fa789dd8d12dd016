import type { ChangeReport } from '../../redact/change-report.js'
import type { Outcome } from '../action.js'
import type { Identity } from '../actor.js'
import { toAuth } from '../identity.js'
import type { Misuse } from '../misuse.js'
import type { Vocabulary } from '../vocabulary/vocabulary.js'
import { VocabularyCheck } from '../vocabulary/vocabulary-check.js'
import { ActionContent } from './action-content.js'
import type { Annotations } from './annotations.js'
import type { Capture } from './capture.js'

/** Everything that the application adds to the records of one request or one piece of work. */
export class Additions {
  /** The actor that a handler has found, if the request was anonymous. */
  identity: Identity | undefined
  private annotations: Annotations | null = null
  private content: ActionContent | null = null
  private readonly check: VocabularyCheck | null

  constructor(
    private readonly capture: Capture,
    private readonly misuse: Misuse,
    private readonly changes: ChangeReport,
    vocabulary: Vocabulary | null,
  ) {
    this.check = vocabulary === null ? null : new VocabularyCheck(vocabulary)
  }

  /** Sets the actor, which is written in the last record. Returns false if it cannot be recorded. */
  identify(identity: Identity): boolean {
    this.identity = identity
    try {
      toAuth(identity)
      return true
    } catch {
      // Callers without types may give anything. The last record counts and logs it.
      return false
    }
  }

  /** Returns false if something was cut or left out. */
  annotate(values: Readonly<Record<string, unknown>>): boolean {
    this.annotations ??= this.capture.annotations(this.changes)
    this.check?.annotate(values)
    return this.annotations.add(values)
  }

  get action(): ActionContent {
    this.content ??= new ActionContent(this.capture, this.misuse, this.changes)
    return this.content
  }

  /** True if the application has given an action, a target, an outcome or changes. */
  get hasAction(): boolean {
    return this.content !== null
  }

  /** Returns the members of the first record. */
  begun(): string {
    return this.content?.begun() ?? ''
  }

  /** Returns the members of the record of an event. */
  happened(): string {
    return this.last(undefined, true)
  }

  /** Returns the members of the last record. `implied`: the outcome unless the application has set one. */
  ended(implied: Outcome | undefined): string {
    return this.last(implied, false)
  }

  private last(implied: Outcome | undefined, isEvent: boolean): string {
    const action = this.content?.ended(implied) ?? ''
    if (this.check !== null && this.content !== null) {
      const known = this.content.known(implied)
      this.check.end(known, isEvent || known.outcome === 'success')
    }
    return `${action}${this.writeAnnotations()}`
  }

  private writeAnnotations(): string {
    const { annotations } = this
    return annotations === null || this.changes.redactor.omits('annotations')
      ? ''
      : `,"annotations":${annotations.toJson()}`
  }
}
