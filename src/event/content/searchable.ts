import { endOfWords } from '../../redact/redactor.js'

/** Cuts a text to the characters that are searched for secrets, between two words if there are some. */
export function searchable(value: unknown, longest: number): unknown {
  if (typeof value !== 'string' || value.length <= longest) return value
  return value.slice(0, endOfWords(value, longest) || longest)
}

/** Returns the bytes of a text, 0 for any other value. */
export function bytesOf(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0
}
