/**
 * Characters that a terminal acts on or does not show: control characters (escape sequences, line feeds, NEL),
 * bidirectional controls, zero-width characters, the Unicode line ends, and lone surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** More than two marks on one character reach into the lines above and below. */
const STACKED_MARKS = /(\p{M}\p{M})(\p{M}+)/gu
const MARK = /^\p{M}$/u
/** The levels that are shown of a value that is nested too deeply to be written whole. */
const MAX_DEPTH = 100
const ASCII = /^[ -~]*$/
/** Characters two columns wide: East Asian scripts and emoji. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2600-\u27bf\u2b50\u2b55\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Makes a text safe for a terminal: characters that it would act on are spelled out, as `\u{1b}`. */
export function printable(text: string): string {
  if (ASCII.test(text)) return text
  return text.replace(UNPRINTABLE, spelled).replace(STACKED_MARKS, (_, kept: string, more: string) => {
    return kept + Array.from(more, spelled).join('')
  })
}

/** Writes a value as one line of JSON that is safe for a terminal; any JSON parser reads the same value. */
export function printableJson(value: unknown): string {
  return stringify(value).replace(UNPRINTABLE, (character) => {
    return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  })
}

/** Cuts a value nested too deeply for `JSON.stringify`: clients can send such bodies, and `JSON.parse` reads them. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return JSON.stringify(shallow(value, MAX_DEPTH))
    throw error
  }
}

function shallow(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '[nested too deeply]'
  if (Array.isArray(value)) return value.map((item) => shallow(item, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shallow(member, depth - 1)]))
}

/** The width of a printable text, in columns of a terminal. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** Cuts a printable text to a width; a cut one ends in `…`. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const character of text) {
    width += columnsOf(character)
    if (width > columns - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Cuts or pads a printable text to a width. */
export function padded(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const shown = cut(text, columns)
  const padding = ' '.repeat(Math.max(0, columns - widthOf(shown)))
  return side === 'left' ? shown + padding : padding + shown
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

/** Gives a printable text a style, if styles are wanted. */
export type Painter = (text: string, style: Style) => string

/** Returns a painter that uses colours only on a terminal, and not if `NO_COLOR` is set. */
export function painter(isTerminal: boolean, env: NodeJS.ProcessEnv): Painter {
  const isPlain = !isTerminal || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  return isPlain ? (text) => text : (text, style) => `\u001b[${CODES[style]}m${text}\u001b[0m`
}

function columnsOf(character: string): number {
  if (MARK.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

function spelled(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
