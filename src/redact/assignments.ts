import type { Secrecy } from './keys.js'

/**
 * A key and what stands before its value in running text: a URL, a header, YAML, JSON (also inside a JSON string). A
 * match begins only where a run of key characters begins, so that a long run is walked through once, not once a
 * character. After `=` the value is on the same line: an empty one in an `.env` file must not hide the next.
 */
const KEY_AND_SEPARATOR = /(?<![\w.\-%[\]])([\w.\-%[\]]+)\\{0,8}["']?\s*(?:=>?[^\S\r\n]*|:\s*)/g

/** What is secret in running text by its key. */
export interface KeyRules {
  secrecyOf(key: string): Secrecy
  replacement(value: string, secrecy: Secrecy): string
}

interface Range {
  start: number
  end: number
}

/** Running text with the values of secret keys replaced. Rather too much of it than too little. */
export function redactAssignments(text: string, rules: KeyRules): string {
  let redacted = ''
  let start = 0
  KEY_AND_SEPARATOR.lastIndex = 0
  for (let found = KEY_AND_SEPARATOR.exec(text); found !== null; found = KEY_AND_SEPARATOR.exec(text)) {
    const [between, key = ''] = found
    // What follows the key of no secret may be the key of one: `Route GET:/login?password=x not found`.
    const secrecy = rules.secrecyOf(key)
    if (secrecy === 0) continue
    const value = valueAt(text, found.index + between.length, HAS_SPACES.test(between))
    if (value.end === value.start) continue
    redacted += text.slice(start, value.start) + rules.replacement(text.slice(value.start, value.end), secrecy)
    start = value.end
    KEY_AND_SEPARATOR.lastIndex = value.end
  }
  return start === 0 ? text : redacted + text.slice(start)
}

const HAS_SPACES = /(?:cookie|authorization)["']?\s*:\s*$/i

/** The value of a header that has spaces in it: the whole line. */
const LINE = /[^\r\n]+/y

/** YAML's text over several lines: all that are indented. */
const BLOCK = /[|>][-+\d]{0,3}[ \t]*\r?\n(?:[ \t][^\n]*(?:\n|$)|\r?\n)+/y

const QUOTED = /(\\{0,8}["'])([\s\S]*?)(?:(?<!\\)\1|$)/y
const PLAIN = /(?:(?:bearer|basic|digest|token)\s{1,3})?[^\s&]+/iy

/** What follows quotes or brackets without a gap is the rest of an odd value. */
const REST = /[^\s&,;:}\])"'\\]*/y

function valueAt(text: string, start: number, hasSpaces: boolean): Range {
  const first = text.charAt(start)
  if (first === '"' || first === "'" || first === '\\') {
    const quoted = quotedAt(text, start)
    if (quoted !== undefined) return quoted
  }
  if (first === '{' || first === '[') return { start, end: endOf(REST, text, closeOf(text, start)) }
  const end = hasSpaces ? endOf(LINE, text, start) : endOf(BLOCK, text, start)
  return { start, end: end > start ? end : endOf(PLAIN, text, start) }
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
