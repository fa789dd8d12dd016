import type { Replace } from './values.js'

const SHORTEST = 13
const LONGEST = 19

/** Shorter groups of a longer run, but for the last of a card, are no part of one: `10 20 30` are amounts. */
const SHORTEST_GROUP = 3

/** Digits that stand together: where they begin and end in the text. */
interface Group {
  start: number
  end: number
}

/** Card numbers: 13 to 19 digits that pass Luhn's check, with single spaces or dashes between them or none. */
export function redactCards(text: string, replace: Replace): string {
  let redacted = ''
  let start = 0
  for (let index = 0; index < text.length; ) {
    if (!isDigit(text, index)) {
      index++
      continue
    }
    const run = groupsFrom(text, index)
    const end = run[run.length - 1]?.end ?? text.length
    const cards = cardsIn(text, run)
    for (const card of cards.length > 0 && isPartOfWord(text, index, end) ? [] : cards) {
      redacted += text.slice(start, card.start) + replace(text.slice(card.start, card.end))
      start = card.end
    }
    index = end
  }
  return start === 0 ? text : redacted + text.slice(start)
}

/** Whether a number is a card's. One of 13 digits that begins with 1 is a time in milliseconds, and no network's card. */
export function isCard(number: string): boolean {
  return isCardNumber(number) && !/^1\d{12}$/.test(number)
}

/** Whether what are digits alone are a card's number. */
function isCardNumber(digits: string): boolean {
  if (!/^\d{13,19}$/.test(digits)) return false
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

function groupsFrom(text: string, from: number): Group[] {
  const groups: Group[] = []
  let start = from
  let index = from
  while (index < text.length) {
    if (isDigit(text, index)) index++
    else if (isSeparator(text, index) && isDigit(text, index + 1)) {
      groups.push({ start, end: index })
      index++
      start = index
    } else break
  }
  groups.push({ start, end: index })
  return groups
}

/** The whole run, or such parts of it as begin and end with a group; each group belongs to one card at most. */
function cardsIn(text: string, run: readonly Group[]): Group[] {
  const whole = join(run, 0, run.length - 1)
  if (isCardAt(text, whole)) return [whole]
  const cards: Group[] = []
  for (let first = 0; first < run.length; first++) {
    const last = lastOfCard(text, run, first)
    if (last === -1) continue
    cards.push(join(run, first, last))
    first = last
  }
  return cards
}

/** The longest that passes: the end of a number is its own, and not the next one. */
function lastOfCard(text: string, run: readonly Group[], first: number): number {
  let found = -1
  let digits = 0
  for (let last = first; last < run.length; last++) {
    const { start, end } = join(run, last, last)
    digits += end - start
    if (digits > LONGEST) break
    if (digits >= SHORTEST && isCardAt(text, join(run, first, last))) found = last
    if (end - start < SHORTEST_GROUP) break
  }
  return found
}

function join(run: readonly Group[], first: number, last: number): Group {
  return { start: run[first]?.start ?? 0, end: run[last]?.end ?? 0 }
}

function isCardAt(text: string, { start, end }: Group): boolean {
  // A run may be as long as the text; a card with its separators is not.
  return end - start < 2 * LONGEST && isCardNumber(text.slice(start, end).replace(/[ +-]/g, ''))
}

/** How far around a number is looked for what it is a part of: the letters of a hash. */
const WORD = 64

/** Digits of a fraction, or of a hash or an id in hexadecimal, are no card's; `visa4111…` is no such word. */
function isPartOfWord(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(start - 1) === 0x2e && isDigit(text, start - 2)) return true
  if (!isHexLetter(text, start - 1) && !isHexLetter(text, end)) return false
  return isHex(text, start - 1, -1) && isHex(text, end, 1)
}

/** Whether the letters of a word from `index` on, in one direction, are all those of hexadecimal numbers. */
function isHex(text: string, index: number, step: 1 | -1): boolean {
  for (let at = index; Math.abs(at - index) < WORD && /[a-z\d]/i.test(text.charAt(at)); at += step) {
    if (!isDigit(text, at) && !isHexLetter(text, at)) return false
  }
  return true
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code >= 0x30 && code <= 0x39
}

/** `+` is a space in a query. */
function isSeparator(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 0x20 || code === 0x2d || code === 0x2b
}

function isHexLetter(text: string, index: number): boolean {
  const code = text.charCodeAt(index) | 0x20
  return code >= 0x61 && code <= 0x66
}
