import type { Secrecy } from '../keys.js'
import { IS_NAME, IS_VALUE } from '../shapes.js'
import { isSpace, valueAfterColon, valueAfterEquals } from './assigned-value.js'
import { type NamedRules, NamedValue } from './named-value.js'
import { isHarmlessValue } from './prose.js'

/** Finds secrets in running text by their keys. */
export interface KeyRules extends NamedRules {
  replacement(value: string, secrecy: Secrecy): string
}

/** Whether `redactAssignments` finds a key in a text whose value is secret: in most texts that hold a colon, it does not. */
export function namesSecret(
  text: string,
  rules: { secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy; shapeOf(key: string): number },
  marks: ReadonlySet<string> | null,
): boolean {
  let shapes = 0
  SEPARATOR.lastIndex = 0
  while (SEPARATOR.test(text)) {
    const key = keyBefore(text, SEPARATOR.lastIndex - 1, 0)
    if (key === '') continue
    if (rules.secrecyOf(key, marks) > 0) return true
    shapes |= rules.shapeOf(key)
  }
  return (shapes & IS_NAME) !== 0 && (shapes & IS_VALUE) !== 0
}

const SEPARATOR = /[=:]/g

/**
 * Running text with the values of secret keys replaced: in a URL, a header, YAML, code, JSON (also inside a JSON string).
 * In a text that was percent-decoded, no space ends a value.
 */
export function redactAssignments(text: string, rules: KeyRules, isDecoded: boolean): string {
  const named = new NamedValue(text, rules)
  let redacted = ''
  let start = 0
  let index = 0
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code !== EQUALS && code !== COLON) {
      index++
      continue
    }
    const key = keyBefore(text, index, start)
    // The text after a harmless key may be a secret's key: `Route GET:/login?password=x not found`.
    const secrecy = key === '' ? 0 : rules.secrecyOf(key) || named.secrecyOf(key, index)
    const separator = index++
    if (secrecy === 0) {
      named.note(key, index)
      continue
    }
    const value =
      code === EQUALS ? valueAfterEquals(text, index, isDecoded) : valueAfterColon(text, index, key, isDecoded)
    if (value.end === value.start || isHarmlessValue(text, { key, secrecy, separator, value })) continue
    redacted += text.slice(start, value.start) + rules.replacement(text.slice(value.start, value.end), secrecy)
    start = value.end
    index = value.end
  }
  return start === 0 ? text : redacted + text.slice(start)
}

const SPACE = 0x20
const QUOTE = 0x22
const APOSTROPHE = 0x27
const COLON = 0x3a
const EQUALS = 0x3d
const CLOSING_BRACKET = 0x5d
/** By its code: true for a letter, a digit, or one of `_.-%[]`. */
const IS_KEY_CHARACTER = Array.from({ length: 128 }, (_, code) => /[\w.\-%[\]]/.test(String.fromCharCode(code)))

/** A quote within five strings of JSON has this many backslashes before it. */
const MAX_BACKSLASHES = 31

/** Words that may end a secret's name of two words, such as `API key`. */
const SECOND_WORD = /^(?:keys?|codes?|phrase|number|string)$/i
const LONGEST_WORD = 24

/** A longer key is judged by its end. */
const LONGEST_KEY = 1024

/**
 * The key that ends before a separator, quoted or not, also in brackets: `config["password"] =`. The characters
 * that are read hold no separator, so that none is read twice, however many separators there are.
 */
function keyBefore(text: string, separator: number, floor: number): string {
  let end = separator
  while (end > floor && isSpace(text, end - 1)) end--
  const isInBrackets = end > floor + 1 && text.charCodeAt(end - 1) === CLOSING_BRACKET && isQuote(text, end - 2)
  if (isInBrackets) end--
  if (end > floor && isQuote(text, end - 1)) {
    end--
    const least = Math.max(floor, end - MAX_BACKSLASHES)
    while (end > least && text.charAt(end - 1) === '\\') end--
  }
  const least = Math.max(floor, end - LONGEST_KEY)
  let start = end
  while (start > least && IS_KEY_CHARACTER[text.charCodeAt(start - 1)] === true) start--
  const key = text.slice(start, end)
  return SECOND_WORD.test(key) ? firstWord(text, start, floor) + key : key
}

/** The word and the space before a key of two words, such as `API key`. */
function firstWord(text: string, end: number, floor: number): string {
  if (text.charCodeAt(end - 1) !== SPACE) return ''
  const least = Math.max(floor, end - LONGEST_WORD)
  let start = end - 1
  while (start > least && isLetter(text.charCodeAt(start - 1))) start--
  return text.slice(start, end)
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
}

function isQuote(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === QUOTE || code === APOSTROPHE
}
