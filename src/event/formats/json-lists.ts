import type { ChangeReport } from '../../redact/change-report.js'
import { quote } from '../bounded-text.js'

/** The most items of a list, and the most bytes of each. */
interface ListBounds {
  readonly items: number
  readonly bytes: number
}

/**
 * The JSON of the first texts of a list. Texts that are left out are marked under the list's path; a text that is cut,
 * under that path and its index.
 */
export function writeTexts(texts: readonly string[], bounds: ListBounds, path: string, changes: ChangeReport): string {
  const first = texts.slice(0, bounds.items)
  if (first.length < texts.length) changes.markTruncated(path, bytesOf(texts), bytesOf(first))
  return `[${first.map((text, index) => quote(text, bounds.bytes, `${path}.${index}`, changes)).join(',')}]`
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)
}
