import type { Secrecy } from '../keys.js'
import type { Range } from './assigned-value.js'

/** A key in running text, and the value after it. */
export interface Assignment {
  readonly key: string
  readonly secrecy: Secrecy
  /** The place of `=` or `:`. */
  readonly separator: number
  readonly value: Range
}

/** The longest harmless value. */
const LONGEST = 64

/** Values that are not a text, and types. */
const LITERAL = /^(?:true|false|null|nil|none|undefined|nan|yes|no|on|off|string|number|boolean)[.,;:!?)\]}]{0,3}$/i

/** `}` of a parser's message, and asterisks in the place of a removed text. */
const SIGNS = /^(?:[^\p{L}\p{N}]{1,3}|\*+)$/u

/** `<token>`, `Bearer [token]`, `${TOKEN}`, `$TOKEN`, `%s` and `{{ token }}`, which are filled in elsewhere. */
const PLACEHOLDER =
  /^(?:<[A-Za-z][A-Za-z _-]*>|(?:[Bb]earer|[Bb]asic|[Tt]oken) [[<][A-Za-z _-]+[\]>]|\$[A-Z][A-Z_]*|\$\{[\w:.-]+\}|%[sdvj]|\{\}|\{\{[\w .]*\}\})[.,;:)]?$/

const SHORT_NUMBER = /^\d{1,3}[.,;:)]{0,2}$/
const NUMBER = /^[\d,]+[.,;:)]{0,2}$/

/** Parsers name the character that they did not expect: `Unexpected token: }`. */
const PARSER = /(?:unexpected|unknown|illegal|unrecognized|unterminated|invalid|expected|bad)\s$/i
const TESTS = /(?:tests?|specs?|checks?|suites?|cases?|assertions?)\s$/i

/** Words that may be a whole sentence about a secret. */
const STATES = words(
  'missing required expected unexpected expired empty blank wrong incorrect mismatch mismatched malformed invalid unknown',
  'unsupported unavailable unauthorized unauthorised unauthenticated unverified forbidden denied rejected refused revoked',
  'failed failure success successful succeeded ok okay valid verified accepted granted disabled enabled deprecated ignored',
  'skipped pending inactive closed created updated deleted removed changed unchanged rotated refreshed renewed issued stored',
  'unset corrupt corrupted truncated redacted hidden masked omitted filtered optional',
)

/** Words with which sentences about a secret go on. */
const BEGINNINGS = words(
  "a an the this that these those it its your you we they must should shall may might can cannot can't could would will",
  "won't is isn't are aren't was wasn't were be been has hasn't have had does doesn't did didn't do don't not no nothing only",
  'already also at least most too in on of for from to with without by as and or but if when while since because please try',
  'see use used using requires expires expiring unable fails failing found contains got received given supplied provided',
  'needed needs bad illegal error exception option flag argument value parameter between minimum maximum longer shorter',
  'length characters',
)

const WHOLE_WORD = /[A-Za-z]+(?=[.,;:!?)]{0,3}(?:\s|$))/y
const WORD_BEFORE_WORD = /[A-Za-z]+(?:['’][a-z]+)?(?=[,:]? {1,2}["'<(]?[A-Za-z0-9])/y

/**
 * Whether the text after a secret's key is harmless: nothing, a count, a placeholder, a parser's message, or a sentence.
 * In doubt it is a secret.
 */
export function isHarmlessValue(text: string, { key, secrecy, separator, value }: Assignment): boolean {
  if (value.end - value.start > LONGEST && !isSentence(text, value.start)) return false
  const found = text.slice(value.start, Math.min(value.end, value.start + LONGEST))
  if (SIGNS.test(found) || PLACEHOLDER.test(found)) return true
  if (isQuoted(text, value.start)) return isParsersToken(text, key, separator, found)
  return (
    LITERAL.test(found) ||
    isCount(text, key, secrecy, separator, found) ||
    isSentence(text, value.start) ||
    isParsersToken(text, key, separator, found)
  )
}

/** Whether a sentence about the secret begins here, or a word for its state. */
export function isSentence(text: string, start: number): boolean {
  return STATES.has(wordAt(WHOLE_WORD, text, start)) || BEGINNINGS.has(wordAt(WORD_BEFORE_WORD, text, start))
}

function wordAt(pattern: RegExp, text: string, start: number): string {
  pattern.lastIndex = start
  return pattern.exec(text)?.[0].toLowerCase().replace('’', "'") ?? ''
}

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')))
}

function isQuoted(text: string, start: number): boolean {
  const before = text.charAt(start - 1)
  return before === '"' || before === "'"
}

/** `Tests pass: 12`, `session: 3`, `tokens: 1200`; not the digits of a PIN. */
function isCount(text: string, key: string, secrecy: Secrecy, separator: number, found: string): boolean {
  if (!NUMBER.test(found)) return false
  if (/^pass(?:es)?$/i.test(key)) return SHORT_NUMBER.test(found) || TESTS.test(before(text, key, separator))
  return secrecy < 2 && (/s$/i.test(key) || SHORT_NUMBER.test(found))
}

function isParsersToken(text: string, key: string, separator: number, found: string): boolean {
  if (!/^tokens?$/i.test(key) || found.length >= 20 || (found.length >= 8 && /\d/.test(found))) return false
  return PARSER.test(before(text, key, separator))
}

/** The end of the text before a key. */
function before(text: string, key: string, separator: number): string {
  const start = text.lastIndexOf(key, separator)
  return text.slice(Math.max(0, start - 16), start)
}
