import type { Secrecy } from '../keys.js'

/** What is secret in running text by its key. */
export interface KeyRules {
  secrecyOf(key: string): Secrecy
  replacement(value: string, secrecy: Secrecy): string
}

/** Whether `redactAssignments` finds a key in a text whose value is secret: in most texts that hold a colon, it does not. */
export function namesSecret(
  text: string,
  rules: { secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy },
  marks: ReadonlySet<string> | null,
): boolean {
  SEPARATOR.lastIndex = 0
  while (SEPARATOR.test(text)) {
    const key = keyBefore(text, SEPARATOR.lastIndex - 1, 0)
    if (key !== '' && rules.secrecyOf(key, marks) > 0) return true
  }
  return false
}

const SEPARATOR = /[=:]/g

interface Range {
  start: number
  end: number
}

/**
 * Running text with the values of secret keys replaced: in a URL, a header, YAML, JSON (also inside a JSON string).
 * Rather too much of it than too little. No space ends a value in what was percent-decoded.
 */
export function redactAssignments(text: string, rules: KeyRules, isDecoded: boolean): string {
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
    // What follows the key of no secret may be the key of one: `Route GET:/login?password=x not found`.
    const secrecy = key === '' ? 0 : rules.secrecyOf(key)
    index++
    if (secrecy === 0) continue
    const value =
      code === EQUALS ? valueAfterEquals(text, index, isDecoded) : valueAfterColon(text, index, key, isDecoded)
    if (value.end === value.start) continue
    redacted += text.slice(start, value.start) + rules.replacement(text.slice(value.start, value.end), secrecy)
    start = value.end
    index = value.end
  }
  return start === 0 ? text : redacted + text.slice(start)
}

const QUOTE = 0x22
const APOSTROPHE = 0x27
const COLON = 0x3a
const EQUALS = 0x3d
/** By its code: of a letter, a digit, or one of `_.-%[]`. */
const IS_KEY_CHARACTER = Array.from({ length: 128 }, (_, code) => /[\w.\-%[\]]/.test(String.fromCharCode(code)))

/** A quote within five strings of JSON has so many before it. */
const MAX_BACKSLASHES = 31

/**
 * The key that ends before a separator, quoted or not. What is walked through holds no separator, so that nothing is
 * walked through twice, however many there are.
 */
function keyBefore(text: string, separator: number, floor: number): string {
  let end = separator
  while (end > floor && isSpace(text, end - 1)) end--
  const quote = text.charCodeAt(end - 1)
  if (end > floor && (quote === QUOTE || quote === APOSTROPHE)) {
    end--
    const least = Math.max(floor, end - MAX_BACKSLASHES)
    while (end > least && text.charAt(end - 1) === '\\') end--
  }
  let start = end
  while (start > floor && IS_KEY_CHARACTER[text.charCodeAt(start - 1)] === true) start--
  return text.slice(start, end)
}

function isSpace(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return (code <= 0x20 || code >= 0x80) && /\s/.test(text.charAt(index))
}

/** On the same line: an empty value in an `.env` file must not hide the next one. */
function valueAfterEquals(text: string, index: number, isDecoded: boolean): Range {
  const start = endOf(GAP, text, text.charAt(index) === '>' ? index + 1 : index)
  return valueAt(text, start, isDecoded ? REST_OF_QUERY : PLAIN)
}

/** Also below the key, as YAML has lists and maps. */
function valueAfterColon(text: string, index: number, key: string, isDecoded: boolean): Range {
  const start = endOf(SPACE, text, index)
  const pattern = isDecoded ? REST_OF_QUERY : HAS_SPACES.test(key) ? LINE : PLAIN_WITH_AMPERSAND
  const value = valueAt(text, start, pattern)
  const end = endOfBlock(text, index, start)
  return end > value.end ? { start, end } : value
}

/** The end of the lines below a key that are indented deeper than its own, or that are items of a list at its depth. */
function endOfBlock(text: string, index: number, start: number): number {
  const first = endOf(END_OF_LINE, text, index)
  // JSON may have a line break there as well, and says itself where its values end.
  if (first === index || /["'{[]/.test(text.charAt(start))) return start
  const line = text.lastIndexOf('\n', index - 1) + 1
  const depth = endOf(GAP, text, line) - line
  let end = start
  for (let next = first; next < text.length; ) {
    const content = endOf(GAP, text, next)
    const isBlank = /[\r\n]/.test(text.charAt(content))
    const isItem = content - next === depth && text.startsWith('- ', content)
    if (!isBlank && content - next <= depth && !isItem) break
    const lineEnd = endOf(LINE, text, content)
    if (!isBlank) end = lineEnd
    next = Math.max(endOf(END_OF_LINE, text, lineEnd), lineEnd + 1)
  }
  return end
}

const SPACE = /\s*/y
const GAP = /[^\S\r\n]*/y
const END_OF_LINE = /[^\S\r\n]*\r?\n/y

/** Headers that have spaces in their values, which end with the line. */
const HAS_SPACES = /(?:cookie|authorization)$/i
const LINE = /[^\r\n]+/y

/** YAML's text over several lines: all that are indented. */
const BLOCK = /[|>][-+\d]{0,3}[ \t]*(?:\r?\n(?:[ \t][^\n]*|(?=\r?\n|$)))+/y

const QUOTED = /(\\{0,31}["'])([\s\S]*?)(?:(?<!\\)\1|$)/y

/**
 * To a space that is neither in quotes, nor after a scheme, nor between digits: it could begin in the middle of another
 * secret otherwise, and leave the rest of that unrecognized.
 */
const PLAIN = plain('\\s&')
/** After a colon: a value in YAML, a header or a log may have any `&`. */
const PLAIN_WITH_AMPERSAND = plain('\\s')

function plain(ends: string): RegExp {
  const value = `(?:[^${ends}"']+|"[^"]*(?:"|$)|'[^']*(?:'|$))+`
  const more = `(?:(?<=bearer|basic)\\s+[^${ends}]+|(?<=\\d)(?: \\d+)+)*`
  return new RegExp(`(?:(?:bearer|basic|digest|token)\\s{1,3})?${value}${more}`, 'iy')
}

const REST_OF_QUERY = /[^&]+/y

/** What follows quotes or brackets without a gap is the rest of an odd value. */
const REST = /[^\s&,;:}\])"'\\]*/y

function valueAt(text: string, start: number, unquoted: RegExp): Range {
  const first = text.charAt(start)
  if (first === '"' || first === "'" || first === '\\') {
    const quoted = quotedAt(text, start)
    if (quoted !== undefined) return quoted
  }
  if (first === '{' || first === '[') return { start, end: endOf(REST, text, closeOf(text, start)) }
  return { start, end: Math.max(endOf(BLOCK, text, start), endOf(unquoted, text, start)) }
}

/** What stands between quotes, up to the closing one or the end; with its quotes when more follows. */
function quotedAt(text: string, start: number): Range | undefined {
  QUOTED.lastIndex = start
  const found = QUOTED.exec(text)
  if (found === null) return undefined
  const [whole, quote = '', inner = ''] = found
  const close = start + whole.length
  const end = endOf(REST, text, close)
  if (end > close) return { start, end }
  return { start: start + quote.length, end: start + quote.length + inner.length }
}

/** Behind the bracket that closes the one at `start`, whatever stands in quotes; the end when there is none. */
function closeOf(text: string, start: number): number {
  let depth = 0
  for (let index = start; index < text.length; ) {
    const character = text.charAt(index)
    if (character === '"' || character === "'" || character === '\\') {
      index = Math.max(index + 1, endOf(QUOTED, text, index))
      continue
    }
    index++
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth === 0) return index
  }
  return text.length
}

/** Where a match that begins at `start` ends; `start` when there is none. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}
