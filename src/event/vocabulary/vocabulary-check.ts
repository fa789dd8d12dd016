import { ownValue } from '../../redact/safe-inspect.js'
import type { KnownAction } from '../content/action-content.js'
import type { Vocabulary } from './vocabulary.js'

/** Compares the last record of one request, work or event with the vocabulary. */
export class VocabularyCheck {
  /** The annotations as the application gave them. */
  private readonly annotations: Record<string, unknown> = Object.create(null)

  constructor(private readonly vocabulary: Vocabulary) {}

  annotate(values: Readonly<Record<string, unknown>>): void {
    try {
      for (const key of Object.keys(values)) this.annotations[key] = ownValue(values, key)
    } catch {
      // A Proxy may throw. The record says that these annotations are not readable.
    }
  }

  /** `isWhole`: the record should have all that belongs to its action, because what it records did not fail. */
  end({ action, targets }: KnownAction, isWhole: boolean): void {
    if (action === undefined) return
    if (isWhole) this.vocabulary.check({ action, targets, annotations: this.annotations })
    else this.vocabulary.checkName(action)
  }
}
