import { decode } from './search/encoding.js'

/** The number of values that are looked for in each text of a record. */
const MOST_VALUES = 16

/** A shorter value would be found everywhere. */
const SHORTEST = 3

/** A shorter value is looked for as a whole word: a PIN, but not four digits of a number. */
const SHORTEST_ANYWHERE = 8

/** Characters between a parameter and other text in the same segment. */
const WITHIN_SEGMENT = /[^A-Za-z0-9_~]+/

interface KnownSecret {
  readonly text: string
  /** Its replacement. */
  readonly clean: string
}

/**
 * The secrets that one request has in its URL by their position alone. Errors, bodies, `location` and `referer` may
 * repeat them without a key.
 */
export class KnownSecrets {
  private readonly values: KnownSecret[] = []

  /** Adds a piece of a URL, as the client sent it. */
  add(text: string, clean: string): void {
    this.put(text, clean)
    this.put(decode(text), clean)
  }

  /** Adds a segment of a path, which may hold more than one parameter: `a-b`, `reset;a`. */
  addSegment(segment: string, clean: string): void {
    this.add(segment, clean)
    for (const part of decode(segment).split(WITHIN_SEGMENT, MOST_VALUES)) {
      if (part.length >= SHORTEST_ANYWHERE) this.put(part, clean)
    }
  }

  /** Returns a text without these secrets. */
  redact(text: string): string {
    let redacted = text
    for (const { text: value, clean } of this.values) {
      if (!redacted.includes(value)) continue
      redacted =
        value.length < SHORTEST_ANYWHERE ? replaceWord(redacted, value, clean) : redacted.replaceAll(value, () => clean)
    }
    return redacted
  }

  /** Keeps the longest first: the URL contains the others. */
  private put(text: string, clean: string): void {
    const { values } = this
    if (text.length < SHORTEST || values.length === MOST_VALUES || values.some((known) => known.text === text)) return
    values.push({ text, clean })
    values.sort((a, b) => b.text.length - a.text.length)
  }
}

/** Replaces a text where no letter and no digit stands beside it. */
function replaceWord(text: string, word: string, clean: string): string {
  let replaced = ''
  let copied = 0
  for (let start = text.indexOf(word); start !== -1; start = text.indexOf(word, start + word.length)) {
    const end = start + word.length
    if (/\w/.test(text.charAt(start - 1)) || /\w/.test(text.charAt(end))) continue
    replaced += text.slice(copied, start) + clean
    copied = end
  }
  return copied === 0 ? text : replaced + text.slice(copied)
}
