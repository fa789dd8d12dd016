import { cut, escapeText, isPlain } from '../json.js'
import type { ChangeReport } from '../redact/change-report.js'

/**
 * Returns the JSON string literal of a text from outside, at most `limit` bytes between its quotes. What is longer is
 * cut between two characters and marked under `path`. U+0000 and lone surrogates become U+FFFD, because
 * readers of JSON (PostgreSQL among them) refuse a whole line for one of them.
 */
export function quote(text: string, limit: number, path: string, changes: ChangeReport): string {
  return `"${bounded(text, limit, path, changes)}"`
}

/** Returns what `quote` puts between the quotes. */
export function bounded(text: string, limit: number, path: string, changes: ChangeReport): string {
  if (text.length <= limit && isPlain(text)) return text
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
