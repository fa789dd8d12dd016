/** Printable ASCII that JSON writes unchanged: nearly all text that clients send. */
const PLAIN = /^[ !#-[\]-~]*$/

/** Characters that JSON allows raw, but a terminal or a line splitter acts on (DEL, C1, U+2028, U+2029). */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g

/** Parses a JSON value. Returns `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Returns the JSON literal of the longest start of a text that takes at most `limit` bytes between its quotes. */
export function quoteStart(text: string, limit: number): string {
  const start = text.length > limit ? text.slice(0, limit) : text
  const literal = quoteWhole(start)
  return Buffer.byteLength(literal) - 2 <= limit ? literal : quoteWhole(cut(start, limit))
}

/** A text that grew by `+`, in one piece: the pieces would stay in memory as long as a line waits. */
export function flatten(text: string): string {
  // Reading a string once is what has V8 put it together.
  Buffer.byteLength(text)
  return text
}

/** Whether a text needs no escaping in JSON, and has one byte a character. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/** Returns the JSON literal of a text that is bounded already. */
export function quoteWhole(text: string): string {
  return isPlain(text) ? `"${text}"` : `"${escapeText(text)}"`
}

/** Escapes a text for JSON, without the quotes. */
export function escapeText(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd')
  return JSON.stringify(clean).slice(1, -1).replace(UNSAFE, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Returns the longest start that takes at most `limit` bytes when escaped. Found by halving: the text may be hostile. */
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
