import { types } from 'node:util'
import { parseJson } from '../json.js'

/** A body longer than this is not searched for a message. */
const SEARCHED_BODY = 16_384

/** Returns the message of whatever was thrown; the message may be a getter that throws as well. */
export function messageOf(error: unknown): string {
  try {
    return textOf(typeof error === 'object' && error !== null && 'message' in error ? error.message : error)
  } catch {
    return 'an error whose message cannot be read'
  }
}

/** Converts anything to text without calling its own methods, which may be missing or throw. */
function textOf(value: unknown): string {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject ? Object.prototype.toString.call(value) : String(value)
}

/**
 * The message in an error reply's body: `message`, `detail`, `title` (RFC 9457) or `error` of a JSON object, or the
 * whole of a short text.
 */
export function messageInBody(body: unknown): string | undefined {
  try {
    return messageIn(body)
  } catch {
    // A buffer of the application's own kind may have any methods.
    return undefined
  }
}

function messageIn(body: unknown): string | undefined {
  const text = typeof body === 'string' ? body : types.isUint8Array(body) ? decode(body) : undefined
  if (text === undefined || text === '' || text.length > SEARCHED_BODY) return undefined
  const start = text.trimStart()[0]
  if (start === '{') return messageInJson(text)
  return start === '<' || start === '[' ? undefined : text
}

function decode(body: Uint8Array): string | undefined {
  if (body.byteLength > SEARCHED_BODY) return undefined
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  // Compressed or otherwise not text.
  return text.includes('\ufffd') || text.includes('\0') ? undefined : text
}

function messageInJson(text: string): string | undefined {
  const body = parseJson(text)
  if (typeof body !== 'object' || body === null) return undefined
  for (const key of ['message', 'detail', 'title', 'error']) {
    const value: unknown = Reflect.get(body, key)
    if (typeof value === 'string') return value
    if (key === 'error' && typeof value === 'object' && value !== null) {
      const message: unknown = Reflect.get(value, 'message')
      if (typeof message === 'string') return message
    }
  }
  return undefined
}
