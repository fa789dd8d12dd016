import type { Changes } from '../redact/change-report.js'

/** How long anything from outside may be in a line, in bytes after escaping. */
export const BOUNDS = {
  endpoint: 4096,
  route: 4096,
  userAgent: 512,
  requestId: 128,
  identity: 256,
  namespace: 256,
  address: 128,
  sourceIps: 16,
  names: 64,
  error: 1024,
  headerValue: 1024,
  headers: 64,
  annotations: 4096,
  annotationKeys: 16,
} as const

/** Printable ASCII that JSON writes as it is: nearly everything that clients send. */
const PLAIN = /^[ !#-[\]-~]*$/

/** What JSON allows raw, but a terminal or a line splitter acts on (DEL, C1 with NEL, the Unicode line ends). */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g

/**
 * One JSON string literal of a text from outside, at most `limit` bytes between its quotes. What is longer is
 * cut between two characters and marked under `path`. U+0000 and lone surrogates become U+FFFD, because
 * readers of JSON (PostgreSQL among them) refuse a whole line for one of them.
 */
export function quote(text: string, limit: number, path: string, changes: Changes): string {
  return `"${bounded(text, limit, path, changes)}"`
}

/** What `quote` puts between the quotes. */
export function bounded(text: string, limit: number, path: string, changes: Changes): string {
  if (text.length <= limit && PLAIN.test(text)) return text
  changes.isAscii = false
  // A UTF-16 unit takes at least one byte, so what lies beyond `limit` units is never kept.
  const start = text.length > limit ? text.slice(0, limit) : text
  const escaped = escapeText(start)
  const bytes = Buffer.byteLength(escaped)
  if (bytes <= limit && start.length === text.length) return escaped
  const kept = cut(start, limit)
  changes.markTruncated(path, Buffer.byteLength(text), Buffer.byteLength(kept))
  return escapeText(kept)
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
  return PLAIN.test(text) ? `"${text}"` : `"${escapeText(text)}"`
}

function escapeText(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd')
  return JSON.stringify(clean).slice(1, -1).replace(UNSAFE, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The longest start that takes at most `limit` bytes once escaped; found by halving, for the text may be hostile. */
function cut(text: string, limit: number): string {
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
