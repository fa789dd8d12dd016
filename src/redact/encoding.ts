import { decodeAscii } from './keys.js'

/** Percent-decodes a text; what is malformed in it stays, and hides nothing else. */
export function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return decodeAscii(text)
    throw error
  }
}

/** What a query's value is for a handler: `+` is a space in it. */
export function decodeQuery(value: string): string {
  return decode(value.replaceAll('+', ' '))
}

/** Percent-encodes a text that was decoded; a lone surrogate, which has no encoding, becomes U+FFFD. */
export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%5BREDACTED%5D', '[REDACTED]')
}
