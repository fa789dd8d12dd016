import type { Findings, Place } from './findings.js'
import type { SealedWith, SealKeys } from './keys.js'

/**
 * Holds the lines of one trail to the order of its secrets: whoever has an old one must not be able to write what came
 * after it. Only at an entry `seal` may another secret be used, and only a later one.
 */
export class KeyOrder {
  private current: SealedWith | undefined

  constructor(
    private readonly keys: SealKeys,
    private readonly findings: Findings,
  ) {}

  /** The secret of the line before; `undefined` before the first line that verifies. */
  get before(): SealedWith | undefined {
    return this.current
  }

  /**
   * Takes a line that is sealed `by` this secret; `named` is the key id of an entry `seal`. Returns false if others may have
   * written the line.
   */
  take(by: SealedWith, place: Place, entry: { readonly named: string | undefined } | undefined): boolean {
    const { keys, findings, current } = this
    if (by === 'no secret') {
      if (!keys.areSecret) this.current = by
      else findings.add('key', place, 'is sealed without the secret, so that anybody may have written it')
      return !keys.areSecret
    }
    if (current !== undefined && current !== 'no secret' && by.place < current.place) {
      const message =
        'is sealed with an earlier secret than a line before it, so that whoever has that may have written it'
      findings.add('key', place, message)
      return false
    }
    if (entry === undefined && current !== undefined && current !== by) {
      findings.add('key', place, 'is sealed with another secret than the line before it, and no entry `seal` says so')
    }
    if (entry !== undefined && keys.areNamed && entry.named !== by.keyId) {
      findings.add('key', place, `names another secret than ${JSON.stringify(by.keyId)}, which it is sealed with`)
    }
    this.current = by
    return true
  }

  /** Reports a trail that does not reach the newest secret; `end` is its last line. */
  settle(end: Place): void {
    const { current, keys, findings } = this
    if (current === undefined || current === 'no secret' || current === keys.newest) return
    const message =
      `ends a trail of which no line is sealed with the newest secret; since ${JSON.stringify(current.keyId)} was replaced, ` +
      'lines were cut off, or written by whoever has that one'
    findings.add('key', end, message)
  }
}
