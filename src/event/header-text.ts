import { isUtf8 } from 'node:buffer'

const BEYOND_ASCII = /[\u0080-\uffff]/
const BEYOND_LATIN1 = /[\u0100-\uffff]/

/** A header's value as text. Node gives each byte as a character; bytes that are valid UTF-8 are read as UTF-8. */
export function headerText(value: string): string {
  // Only an application can have set a character that is not a byte.
  if (!BEYOND_ASCII.test(value) || BEYOND_LATIN1.test(value)) return value
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : value
}
