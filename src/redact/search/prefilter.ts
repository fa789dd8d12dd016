import { isWideGap } from './cards.js'
import { hasForm, SHORTEST_RUN } from './forms.js'

// Cues: kinds of secrets that a text may hold, found in one pass. Most texts have none, and cost nothing more.

/** `=` or `:`, which stand between a key and its value. */
export const KEY = 1
export const PERCENT = 2
/** `@`, which ends user information in a URL. */
export const AT = 4
/** White space after the letters that end `Bearer`, `Basic`, `Token`, `ApiKey` or `Digest`. */
export const SCHEME = 8
/** `eyJ`, the beginning of a JSON Web Token. */
export const TOKEN = 16
/** `--`, as in `-----BEGIN` and `--password`. */
export const DASHES = 32
/** At least 13 digits, with only separators of a card's digits between them. */
export const DIGITS = 64
/** Begins as JSON's objects, arrays and strings do. */
export const JSON_TEXT = 128
/** `</` or `/>`, as in XML and HTML. */
export const MARKUP = 256
/** A dash between white space and a letter, as in `-password`. */
export const OPTION = 512
/** A well-known token. */
export const FORM = 1024

const SHORTEST_CARD = 13

// Kinds of characters: those of words, then those that end one.
/** A letter that hexadecimal numbers do not have. */
const LETTER = 0
const HEX_LETTER = 1
const DIGIT = 2
const UNDERSCORE = 3
const LETTER_J = 4
const DASH = 5
const SPACE = 6
const DOT = 7
const SLASH = 8
const SEPARATOR = 9
const PERCENT_SIGN = 10
const AT_SIGN = 11
const ANGLE = 12
const OTHER = 13

const SIGNS: ReadonlyMap<string, number> = new Map([
  ['_', UNDERSCORE],
  ['J', LETTER_J],
  ['-', DASH],
  ['+', SPACE],
  ['.', DOT],
  ['/', SLASH],
  ['=', SEPARATOR],
  [':', SEPARATOR],
  ['%', PERCENT_SIGN],
  ['@', AT_SIGN],
  ['>', ANGLE],
])

const KINDS = Uint8Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)))

/** The cues of a text, as bits. */
export function cuesOf(text: string): number {
  let cues = startsAsJson(text) ? JSON_TEXT : 0
  let digits = 0
  let word = 0
  let letter = -1
  let hasLongWord = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const kind = code < 128 ? KINDS[code] : OTHER
    if (kind === LETTER) {
      digits = 0
      letter = index
      continue
    }
    switch (kind) {
      case HEX_LETTER:
        digits = 0
        continue
      case DIGIT:
        if (++digits === SHORTEST_CARD) cues |= DIGITS
        continue
      case UNDERSCORE:
        continue
      case LETTER_J:
        digits = 0
        letter = index
        if (text.charCodeAt(index - 1) === 0x79) cues |= TOKEN
        continue
      case DASH:
        cues |= cueOfDash(text, index)
        continue
      case SPACE:
        if (isEndOfScheme(text, index)) cues |= SCHEME
        break
      case DOT:
        break
      case SLASH:
        if (text.charCodeAt(index - 1) === 0x3c) cues |= MARKUP
        break
      case SEPARATOR:
        digits = 0
        cues |= KEY
        break
      case PERCENT_SIGN:
        digits = 0
        cues |= PERCENT
        break
      case AT_SIGN:
        digits = 0
        cues |= AT
        break
      case ANGLE:
        digits = 0
        if (text.charCodeAt(index - 1) === 0x2f) cues |= MARKUP
        break
      default:
        if (!isWideGap(code)) digits = 0
    }
    hasLongWord ||= index - word >= SHORTEST_RUN && letter >= word
    word = index + 1
  }
  hasLongWord ||= text.length - word >= SHORTEST_RUN && letter >= word
  return hasLongWord && hasForm(text) ? cues | FORM : cues
}

function kindOf(character: string): number {
  if (/\d/.test(character)) return DIGIT
  if (/[a-f]/i.test(character)) return HEX_LETTER
  return SIGNS.get(character) ?? (character <= ' ' ? SPACE : /[a-z]/i.test(character) ? LETTER : OTHER)
}

function cueOfDash(text: string, index: number): number {
  const previous = text.charCodeAt(index - 1)
  if (previous === 0x2d) return DASHES
  const next = text.charCodeAt(index + 1) | 0x20
  return previous <= 0x20 && next >= 0x61 && next <= 0x7a ? OPTION : 0
}

/** Whether a scheme's name may end before a place, by its last three letters, in either case. */
function isEndOfScheme(text: string, end: number): boolean {
  switch (text.charCodeAt(end - 1) | 0x20) {
    case 0x72: // Bearer
      return isEnd(text, end, 0x72, 0x65)
    case 0x63: // Basic
      return isEnd(text, end, 0x73, 0x69)
    case 0x6e: // Token
      return isEnd(text, end, 0x6b, 0x65)
    case 0x79: // ApiKey
      return isEnd(text, end, 0x6b, 0x65)
    case 0x74: // Digest
      return isEnd(text, end, 0x65, 0x73) && (text.charCodeAt(end - 4) | 0x20) === 0x67
    default:
      return false
  }
}

/** Whether two letters stand before the last one. */
function isEnd(text: string, end: number, first: number, second: number): boolean {
  return (text.charCodeAt(end - 2) | 0x20) === second && (text.charCodeAt(end - 3) | 0x20) === first
}

function startsAsJson(text: string): boolean {
  let index = 0
  while (index < text.length && text.charCodeAt(index) <= 0x20) index++
  const code = text.charCodeAt(index)
  return code === 0x7b || code === 0x5b || code === 0x22
}
