// What a text gives away at a glance of what may be secret in it. Most texts give nothing, and cost one pass.

/** `=` or `:`, which stand between a key and its value. */
export const KEY = 1
export const PERCENT = 2
/** `@`, which ends user information in a URL. */
export const AT = 4
/** White space after the letters that end `Bearer` and `Basic`. */
export const SCHEME = 8
/** `eyJ`, with which a JSON Web Token begins. */
export const TOKEN = 16
/** `--`, as in `-----BEGIN`. */
export const DASHES = 32
/** At least 13 digits with nothing but spaces, dashes or plus signs between them. */
export const DIGITS = 64
/** Begins as JSON's objects, arrays and strings do. */
export const JSON_TEXT = 128

const SHORTEST_CARD = 13

/** The cues of a text, as bits. */
export function cuesOf(text: string): number {
  let cues = startsAsJson(text) ? JSON_TEXT : 0
  let digits = 0
  let previous = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= 0x30 && code <= 0x39) {
      if (++digits === SHORTEST_CARD) cues |= DIGITS
    } else if (code <= 0x20 || code === 0x2b || code === 0x2d) {
      if (code === 0x2d) {
        if (previous === 0x2d) cues |= DASHES
      } else if (isEndOfScheme(text, index)) cues |= SCHEME
    } else {
      digits = 0
      if (code === 0x3d || code === 0x3a) cues |= KEY
      else if (code === 0x25) cues |= PERCENT
      else if (code === 0x40) cues |= AT
      else if (code === 0x4a && previous === 0x79) cues |= TOKEN
    }
    previous = code
  }
  return cues
}

/** Whether `bearer` or `basic` may end before a place, by their last three letters, in either case. */
function isEndOfScheme(text: string, end: number): boolean {
  const last = text.charCodeAt(end - 1) | 0x20
  // `rer`, `sic`.
  if (last === 0x72) return (text.charCodeAt(end - 2) | 0x20) === 0x65 && (text.charCodeAt(end - 3) | 0x20) === 0x72
  return last === 0x63 && (text.charCodeAt(end - 2) | 0x20) === 0x69 && (text.charCodeAt(end - 3) | 0x20) === 0x73
}

function startsAsJson(text: string): boolean {
  let index = 0
  while (index < text.length && text.charCodeAt(index) <= 0x20) index++
  const code = text.charCodeAt(index)
  return code === 0x7b || code === 0x5b || code === 0x22
}
