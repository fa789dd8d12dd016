/** Printable ASCII that JSON writes as it is: nearly everything that clients send. */
const PLAIN = /^[ !#-[\]-~]*$/

/** What JSON allows raw, but a terminal or a line splitter acts on (DEL, C1 with NEL, the Unicode line ends). */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g

/** A JSON value; `undefined` when the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The JSON literal of as much of a text as takes at most `limit` bytes between its quotes. */
export function quoteStart(text: string, limit: number): string {
  const start = text.length > limit ? text.slice(0, limit) : text
  const literal = quoteWhole(start)
  return Buffer.byteLength(literal) - 2 <= limit ? literal : quoteWhole(cut(start, limit))
}

/** Whether a text is its own JSON literal, but for the quotes, one byte a character. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/** The JSON literal of a text that is bounded already. */
export function quoteWhole(text: string): string {
  return isPlain(text) ? `"${text}"` : `"${escapeText(text)}"`
}

/** What JSON has of a text between its quotes. */
export function escapeText(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd')
  return JSON.stringify(clean).slice(1, -1).replace(UNSAFE, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The longest start that takes at most `limit` bytes once escaped; found by halving, for the text may be hostile. */
export function cut(text: string, limit: number): string {
  let fits = 0
  let exceeds = text.length + 1
  while (exceeds - fits > 1) {
    const middle = (fits + exceeds) >> 1
    if (Buffer.byteLength(escapeText(text.slice(0, middle))) <= limit) fits = middle
    else exceeds = middle
  }
  const isInsidePair = (text.codePointAt(fits - 1) ?? 0) > 0xffff
  return text.slice(0, isInsidePair ? fits - 1 : fits)
}
