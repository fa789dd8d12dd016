import * as vocabulary from './key-words.js'

/** The secrecy of a value: 0 is not secret, 1 is masked or hashed, 2 is masked in either mode. */
export type Secrecy = 0 | 1 | 2

/** A compound of the vocabulary: how secret it makes a key that ends with it. */
interface Compound {
  readonly secrecy: Secrecy
  /** The words that may stand before it. */
  readonly after: 'anything' | 'owners' | 'nothing'
}

/**
 * The length from which a compound in lower case is not the end of another word by chance, as `cred` is of `sacred`.
 */
const SHORTEST_ENDING = 5

/** The length up to which words before a compound are looked up. */
const LONGEST_BEFORE = 40

/** The length of a key's end that is read. */
const LONGEST_KEY = 160

const COMPOUNDS: ReadonlyMap<string, Compound> = compounds()
const COMPOUND_LENGTHS = lengthsByEnd(COMPOUNDS.keys())
const TRAILING: ReadonlySet<string> = new Set(vocabulary.TRAILING_WORDS)
const TRAILING_LENGTHS = lengthsByEnd(TRAILING)
const QUESTIONS: ReadonlySet<string> = new Set(vocabulary.QUESTIONS)
const PUBLIC_WORDS: ReadonlySet<string> = new Set(vocabulary.PUBLIC_WORDS)
const WORDS_BEFORE: ReadonlySet<string> = new Set([...vocabulary.OWNERS, ...vocabulary.QUESTIONS, ...'0123456789'])
const LONGEST_WORD = longest(WORDS_BEFORE)

/** A word: digits, capitals (`API`), or small letters with at most one capital before them. */
const WORD = /\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g

/** Tells how secret the value of a key is, by the words that the key ends with. */
export function meaningOf(key: string): Secrecy {
  const text = key.length > LONGEST_KEY ? key.slice(-LONGEST_KEY) : key
  const whole = text.replace(/[^A-Za-z0-9]+/g, '').toLowerCase()
  let rest = whole
  let isPlural = false
  // The key's length is bounded, and each round shortens it.
  while (rest !== '') {
    const found = meaningOfEnd(rest, text, rest.length < whole.length)
    if (found !== undefined) return found
    const end = withoutTrailing(rest)
    if (end < rest.length) rest = rest.slice(0, end)
    else if (!isPlural && rest.endsWith('s')) {
      isPlural = true
      rest = rest.slice(0, -1)
    } else return 0
  }
  return 0
}

/**
 * Returns the secrecy of the longest compound that a key ends with, `undefined` if there is none. `text` is the key
 * with its capitals and separators, which show where words begin.
 */
function meaningOfEnd(key: string, text: string, isShortened: boolean): Secrecy | undefined {
  for (const length of COMPOUND_LENGTHS.get(key.slice(-2)) ?? []) {
    const compound = length > key.length ? undefined : COMPOUNDS.get(key.slice(-length))
    if (compound === undefined || (isShortened && compound.after === 'nothing')) continue
    const words = wordsOf(text)
    if (PUBLIC_WORDS.has(words.at(-1) ?? '')) return 0
    if (length === key.length) return compound.secrecy
    const before = wordsBefore(key.slice(0, -length), words, compound, length)
    if (before !== undefined) return before.some((word) => QUESTIONS.has(word)) ? 0 : compound.secrecy
  }
  return undefined
}

/** Returns the words of a key in lower case. They are the same for `dbPass`, `DB_PASS` and `db-pass`. */
function wordsOf(text: string): string[] {
  return text.match(WORD)?.map((word) => word.toLowerCase()) ?? []
}

/** Returns the words before a compound; `undefined` if it means nothing after them. */
function wordsBefore(
  before: string,
  words: readonly string[],
  { secrecy, after }: Compound,
  length: number,
): readonly string[] | undefined {
  if (after === 'nothing') return undefined
  if (after === 'anything') {
    const whole = wordsThatMake(before, words)
    if (whole !== undefined) return whole
  }
  const known = knownWords(before)
  if (known !== undefined) return known
  return after === 'anything' && secrecy > 0 && length >= SHORTEST_ENDING ? [] : undefined
}

/** Returns the first words of a key, if a word ends where `before` ends. */
function wordsThatMake(before: string, words: readonly string[]): readonly string[] | undefined {
  let length = 0
  for (let index = 0; index < words.length && length < before.length; index++) {
    length += words[index]?.length ?? 0
    if (length === before.length) return words.slice(0, index + 1)
  }
  return undefined
}

/** Returns the length of a key without digits, or one word that changes nothing, at its end. */
function withoutTrailing(key: string): number {
  let end = key.length
  while (end > 0 && isDigit(key.charCodeAt(end - 1))) end--
  if (end < key.length) return end
  const length = TRAILING_LENGTHS.get(key.slice(-2))?.find((one) => TRAILING.has(key.slice(-one)))
  return length === undefined ? end : end - length
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Splits a text in lower case into known words; `undefined` if it is not made of them. */
function knownWords(text: string): string[] | undefined {
  if (text.length > LONGEST_BEFORE) return undefined
  /** By the place where a word ends, the place where it starts. */
  const startOf = new Map([[0, 0]])
  for (let end = 1; end <= text.length; end++) {
    for (let start = Math.max(0, end - LONGEST_WORD); start < end; start++) {
      if (!startOf.has(start) || !WORDS_BEFORE.has(text.slice(start, end))) continue
      startOf.set(end, start)
      break
    }
  }
  if (!startOf.has(text.length)) return undefined
  const words: string[] = []
  for (let end = text.length; end > 0; end = startOf.get(end) ?? 0) words.push(text.slice(startOf.get(end), end))
  return words
}

function compounds(): Map<string, Compound> {
  const all = new Map<string, Compound>()
  const add = (names: readonly string[], secrecy: Secrecy, after: Compound['after']): void => {
    for (const name of names) all.set(name.replaceAll(' ', ''), { secrecy, after })
  }
  add(
    vocabulary.SECRET_KEYS.map((word) => `${word} key`),
    1,
    'anything',
  )
  add(
    vocabulary.SECRET_CODES.map((word) => `${word} code`),
    2,
    'anything',
  )
  for (const last of vocabulary.ADDRESS_WORDS) {
    add(
      vocabulary.SECRET_ADDRESSES.map((word) => `${word} ${last}`),
      1,
      'anything',
    )
  }
  add(vocabulary.SECRET_WORDS, 1, 'anything')
  add(vocabulary.SECRET_OWNED, 1, 'owners')
  add(vocabulary.SECRET_ALONE, 1, 'nothing')
  add(vocabulary.MASKED_WORDS, 2, 'anything')
  add(vocabulary.MASKED_OWNED, 2, 'owners')
  add(vocabulary.PUBLIC_COMPOUNDS, 0, 'anything')
  return all
}

/** Maps the last two letters of texts to the lengths of these texts, the longest first. */
function lengthsByEnd(texts: Iterable<string>): ReadonlyMap<string, readonly number[]> {
  const lengths = new Map<string, number[]>()
  for (const text of [...texts].sort((a, b) => b.length - a.length)) {
    const end = text.slice(-2)
    const known = lengths.get(end) ?? []
    if (known.at(-1) !== text.length) lengths.set(end, [...known, text.length])
  }
  return lengths
}

function longest(texts: Iterable<string>): number {
  return Math.max(...[...texts].map((text) => text.length))
}
