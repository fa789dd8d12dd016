import { cardLengths, ISSUER_DIGITS } from './card-networks.js'
import type { Replace } from './values.js'

const LONGEST = 19

/** Only the last group of a card may be shorter: `10 20 30` are amounts. */
const SHORTEST_GROUP = 3

/** Kinds of single characters between the digits of a card. */
const NO_SEPARATOR = 0
const LOOSE = 1
/** A separator with many other uses between digits: the groups must have the sizes printed on cards. */
const STRICT = 2

const PRINTED = new Set(
  [
    [4, 4, 4, 4],
    [4, 4, 4, 1],
    [4, 4, 4, 4, 1],
    [4, 4, 4, 4, 2],
    [4, 4, 4, 4, 3],
    [4, 6, 4],
    [4, 6, 5],
  ].map((groups) => groups.reduce(addGroup, 0)),
)

/** The sum of a doubled digit's digits, for Luhn's check. */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]

/** Digits with single separators between them. */
interface Run {
  readonly start: number
  readonly end: number
}

/**
 * Redacts card numbers: digits with the beginning and the length of a network's numbers, which pass Luhn's check, with
 * single separators between them or none. From each group on, at most a card's length is read, which keeps the search
 * linear.
 */
export function redactCards(text: string, replace: Replace): string {
  let redacted = ''
  let copied = 0
  for (let index = 0; index < text.length; ) {
    if (!isDigit(text, index)) {
      index++
      continue
    }
    const run = { start: index, end: endOfRun(text, index) }
    while (index < run.end) {
      const end = endOfCard(text, index, run)
      if (end === -1) index = nextGroup(text, index, run.end)
      else if (isPartOfWord(text, run) || isPartOfUuid(text, index, end)) index = run.end
      else {
        redacted += text.slice(copied, index) + replace(text.slice(index, end))
        copied = end
        index = nextGroup(text, end, run.end)
      }
    }
  }
  return copied === 0 ? text : redacted + text.slice(copied)
}

/** Whether a number is a card's. */
export function isCard(number: string): boolean {
  if (number.length > LONGEST || !/^\d+$/.test(number)) return false
  return endOfCard(number, 0, { start: 0, end: number.length }) === number.length
}

function endOfRun(text: string, start: number): number {
  let index = start
  while (isDigit(text, index) || (separatorKind(text.charCodeAt(index)) === LOOSE && isDigit(text, index + 1))) index++
  return index
}

/** The start of the group after the one at `from`, or the end of the run. */
function nextGroup(text: string, from: number, end: number): number {
  let index = from
  while (index < end && isDigit(text, index)) index++
  return Math.max(from, Math.min(index + 1, end))
}

/** The end of the longest card that begins at `start`; -1 if there is no card. It ends where a group ends. */
function endOfCard(text: string, start: number, run: Run): number {
  let found = -1
  let digits = 0
  let issuer = 0
  let lengths = 0
  // Luhn's sum, and the sum if the last digit counts double. Each further digit exchanges the two.
  let sum = 0
  let doubled = 0
  let group = 0
  let shape = 0
  let separator = 0
  let hasShort = false
  for (let index = start; ; index++) {
    const code = text.charCodeAt(index)
    const digit = code - 0x30
    if (digit >= 0 && digit <= 9) {
      if (++digits > LONGEST) return found
      const next = doubled + digit
      doubled = sum + (DOUBLED[digit] ?? 0)
      sum = next
      group++
      if (digits <= ISSUER_DIGITS) issuer = issuer * 10 + digit
      if (digits === ISSUER_DIGITS) lengths = cardLengths(issuer)
      if (digits === ISSUER_DIGITS && lengths === 0) return -1
      continue
    }
    shape = addGroup(shape, group)
    if ((lengths & (1 << digits)) !== 0 && sum % 10 === 0) {
      const isWhole = start === run.start && index === run.end
      if (PRINTED.has(shape) || (separatorKind(separator) !== STRICT && (isWhole || !hasShort))) found = index
    }
    hasShort ||= group < SHORTEST_GROUP
    if (!isDigit(text, index + 1) || !mayFollow(code, separator)) return found
    if (hasShort && (start !== run.start || separatorKind(code) === STRICT)) return found
    separator = code
    group = 0
  }
}

/** Loose separators may be mixed; a strict one stands between all groups. */
function mayFollow(code: number, previous: number): boolean {
  const kind = separatorKind(code)
  if (previous === 0) return kind !== NO_SEPARATOR
  return separatorKind(previous) === STRICT ? code === previous : kind === LOOSE
}

/** `+` is a space in a query; the spaces and dashes beyond ASCII are those of printers. */
function separatorKind(code: number): number {
  if (code === 0x20 || code === 0x2d || code === 0x2b) return LOOSE
  if (code === 0x2e || code === 0x2f || code === 0x5f) return STRICT
  return code >= 0xa0 && isWideGap(code) ? LOOSE : NO_SEPARATOR
}

/** A space or a dash that may separate the digits of a card, beyond ASCII. */
export function isWideGap(code: number): boolean {
  return code === 0xa0 || code === 0x202f || code === 0x2007 || (code >= 0x2009 && code <= 0x2013)
}

/** The sizes of groups as one number. */
function addGroup(shape: number, size: number): number {
  return shape * 20 + size
}

/** The number of characters beside a number that are read: with letters there, it may be a part of a hash. */
const WORD = 64

/** Digits of a fraction, or of a hash or an id in hexadecimal, are not a card's; `visa4111…` is not such a word. */
function isPartOfWord(text: string, { start, end }: Run): boolean {
  if (text.charCodeAt(start - 1) === 0x2e && isDigit(text, start - 2)) return true
  if (!isHexLetter(text, start - 1) && !isHexLetter(text, end)) return false
  return isHex(text, start - 1, -1) && isHex(text, end, 1)
}

/** Whether the letters of a word from `index` on, in one direction, are all those of hexadecimal numbers. */
function isHex(text: string, index: number, step: 1 | -1): boolean {
  for (let at = index; Math.abs(at - index) < WORD; at += step) {
    if (isDigit(text, at) || isHexLetter(text, at)) continue
    const code = text.charCodeAt(at) | 0x20
    return code < 0x61 || code > 0x7a || Number.isNaN(text.charCodeAt(at))
  }
  return true
}

const UUID = /(?<![\da-z])[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}(?![\da-z])/gi
const UUID_LENGTH = 36

function isPartOfUuid(text: string, start: number, end: number): boolean {
  const from = Math.max(0, start - UUID_LENGTH)
  for (const { index } of text.slice(from, end + UUID_LENGTH).matchAll(UUID)) {
    if (from + index < end && from + index + UUID_LENGTH > start) return true
  }
  return false
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code >= 0x30 && code <= 0x39
}

function isHexLetter(text: string, index: number): boolean {
  const code = text.charCodeAt(index) | 0x20
  return code >= 0x61 && code <= 0x66
}
