import { isUtf8 } from 'node:buffer'

/** ASCII, or bytes that may be other text. */
const ENCODED = /%[0-7][0-9a-f]|(?:%[89a-f][0-9a-f])+/gi

/**
 * Percent-decodes a text. Malformed parts stay, and hide nothing else. `decodeURIComponent` would throw at each: a client
 * writes as many as fit, and each error takes its time.
 */
export function decode(text: string): string {
  return text.includes('%') ? text.replace(ENCODED, decodeRun) : text
}

/** Decodes a query's value as a handler gets it: `+` is a space. */
export function decodeQuery(value: string): string {
  return decode(value.replaceAll('+', ' '))
}

/** Percent-encodes a text that was decoded; a lone surrogate, which has no encoding, becomes U+FFFD. */
export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%5BREDACTED%5D', '[REDACTED]')
}

function decodeRun(run: string): string {
  if (run.length === 3) {
    const code = Number.parseInt(run.slice(1), 16)
    return code < 0x80 ? String.fromCharCode(code) : run
  }
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex')
  return isUtf8(bytes) ? bytes.toString() : run
}
