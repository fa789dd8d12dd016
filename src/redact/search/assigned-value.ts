/** The place of a value in a text. */
export interface Range {
  readonly start: number
  readonly end: number
}

const NEWLINE_OR_SPACE = /\s*/y
const GAP = /[^\S\r\n]*/y
const END_OF_LINE = /[^\S\r\n]*\r?\n/y
const LINE = /[^\r\n]+/y
const REST_OF_QUERY = /[^&]+/y

/** The rest of `==`, `===` and `=>`, and the type that PHP writes before a string. */
const AFTER_EQUALS = /={0,2}>?(?:\s{0,64}string\(\d{1,9}\)(?= "))?/y

/** The rest of `:=`. */
const AFTER_COLON = /=?/y

/** An anchor and a tag of YAML, which are not part of the value. */
const YAML_PROPERTIES = /(?:&[\w-]{1,64}[ \t]+)?(?:!![\w/.-]{1,64}[ \t]+|![\w-]{1,64}[ \t]+(?=[|>]))?/y

/** Headers that have spaces in their values, which end with the line. */
const HAS_SPACES = /(?:cookie|authorization|sec-websocket-protocol)$/i

/** The value after `=`, on the same line: an empty value in an `.env` file must not hide the next one. */
export function valueAfterEquals(text: string, index: number, isDecoded: boolean): Range {
  const start = endOf(GAP, text, endOf(AFTER_EQUALS, text, index))
  return valueAt(text, start, isDecoded ? restOfQuery : plain)
}

/** The value after `:`, also on the lines below the key, as YAML has lists and maps. */
export function valueAfterColon(text: string, index: number, key: string, isDecoded: boolean): Range {
  const separator = endOf(AFTER_COLON, text, index)
  const start = endOf(YAML_PROPERTIES, text, endOf(NEWLINE_OR_SPACE, text, separator))
  const value = valueAt(text, start, isDecoded ? restOfQuery : HAS_SPACES.test(key) ? restOfLine : plainWithAmpersand)
  const end = endOfBlock(text, separator, start)
  return end > value.end ? { start, end } : value
}

/** The value after an option of a command, such as `--password`. */
export function valueAfterOption(text: string, index: number): Range {
  return valueAt(text, index, plainWithAmpersand)
}

/** The end of a value without quotes. */
type EndOfUnquoted = (text: string, start: number) => number

function valueAt(text: string, start: number, endOfUnquoted: EndOfUnquoted): Range {
  const first = text.charAt(start)
  if (first === '"' || first === "'" || first === '\\') {
    const quoted = quotedAt(text, start)
    if (quoted !== undefined) return quoted
  }
  if (first === '{' || first === '[') return { start, end: endOf(REST, text, closeOf(text, start)) }
  return { start, end: Math.max(endOf(BLOCK, text, start), endOfUnquoted(text, start)) }
}

function restOfLine(text: string, start: number): number {
  return endOf(LINE, text, start)
}

function restOfQuery(text: string, start: number): number {
  return endOf(REST_OF_QUERY, text, start)
}

function plain(text: string, start: number): number {
  return endOfPlain(text, start, true)
}

/** For a value after a colon, which may hold any `&` in YAML, a header or a log. */
function plainWithAmpersand(text: string, start: number): number {
  return endOfPlain(text, start, false)
}

const SCHEME = /(?:bearer|basic|digest|token|apikey)\s{1,3}/iy
const AFTER_SCHEME = /(?<=bearer|basic)\s+(?=\S)/iy
const AFTER_DIGIT = /(?<=\d) (?=\d)/y

/**
 * The end of a value: a space that is neither in quotes, nor after a scheme, nor between digits. Otherwise the search
 * could go on in the middle of another secret, and not recognize the rest of it.
 */
function endOfPlain(text: string, start: number, endsAtAmpersand: boolean): number {
  let end = endOfWord(text, endOf(SCHEME, text, start), endsAtAmpersand)
  for (;;) {
    const next = Math.max(endOf(AFTER_SCHEME, text, end), endOf(AFTER_DIGIT, text, end))
    if (next === end) return end
    end = endOfWord(text, next, endsAtAmpersand)
  }
}

/** The end of a word: a space that is not in quotes, or `&`; the text's end if a quote is not closed. */
function endOfWord(text: string, start: number, endsAtAmpersand: boolean): number {
  let index = start
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === QUOTE || code === APOSTROPHE) {
      const close = text.indexOf(text.charAt(index), index + 1)
      if (close === -1) return text.length
      index = close
    } else if (isSpace(text, index) || (endsAtAmpersand && code === AMPERSAND)) break
    index++
  }
  return index
}

const QUOTE = 0x22
const AMPERSAND = 0x26
const APOSTROPHE = 0x27

export function isSpace(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return (code <= 0x20 || code >= 0x80) && /\s/.test(text.charAt(index))
}

/** A text of YAML over several lines: every indented one. */
const BLOCK = /[|>][-+\d]{0,3}[ \t]*(?:\r?\n(?:[ \t][^\n]*|(?=\r?\n|$)))+/y

/** The end of the lines below a key that are indented deeper than its own, or that are items of a list at its depth. */
function endOfBlock(text: string, index: number, start: number): number {
  const first = endOf(END_OF_LINE, text, index)
  // JSON may have a line break there as well; its values end by its own syntax.
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

/** Also with three quotes, as GraphQL and Python have texts over several lines. */
const QUOTED = /(\\{0,31}"\\{0,31}"\\{0,31}"|'''|\\{0,31}["'])([\s\S]*?)(?:(?<!\\)\1|$)/y

/** Text that follows quotes or brackets without a gap is the rest of an odd value. */
const REST = /[^\s&,;:}\])"'\\]*/y

/** The text between quotes, up to the closing one or the end; with its quotes if more follows. */
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

/** The place after the bracket that closes the one at `start`, whatever stands in quotes; the end if there is none. */
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

/** The end of a match that begins at `start`; `start` if there is no match. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}
