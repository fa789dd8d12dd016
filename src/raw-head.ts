import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Args } from './raw-calls.js'

// What Node makes of the arguments of a `writeHead`, which takes headers in four shapes.

/** Headers as an object, as a flat array, or as an array of pairs. */
export function headerPairs(headers: unknown): Array<[string, unknown]> {
  if (!Array.isArray(headers)) return typeof headers === 'object' && headers !== null ? Object.entries(headers) : []
  if (Array.isArray(headers[0])) return headers.map((pair: unknown[]) => [String(pair[0]), pair[1]])
  const pairs: Array<[string, unknown]> = []
  for (let index = 0; index + 1 < headers.length; index += 2) pairs.push([String(headers[index]), headers[index + 1]])
  return pairs
}

/** The headers among the arguments of a `writeHead`. */
export function headersOf(args: Args): unknown {
  return typeof args[1] === 'string' ? args[2] : (args[1] ?? args[2])
}

/**
 * The arguments of a `writeHead` with this status, and with its headers as they are now: what is set on the reply's own
 * after it was sent must not get into it.
 */
export function copyHead(status: number, args: Args): Args {
  const headers = headersOf(args)
  if (headers === undefined || headers === null) return [status, ...args.slice(1)]
  const copy = Array.isArray(headers) ? [...headers] : { ...Object(headers) }
  return typeof args[1] === 'string' ? [status, args[1], copy] : [status, copy]
}

/** Throws what Node throws for a header that cannot be sent. */
export function checkHeader(name: string, value: unknown): void {
  validateHeaderName(name)
  if (Array.isArray(value)) for (const one of value) checkValue(name, one)
  else checkValue(name, value)
}

/** Throws what Node throws, for a value of any type. */
export function checkValue(name: string, value: unknown): void {
  Reflect.apply(validateHeaderValue, undefined, [name, value])
}

/** The number that Node makes of a status such as `'200'`; HTTP/2 takes what is no number for 200. */
export function toStatus(value: unknown, isHttp2: boolean): number {
  const status = Number(value) | 0
  return isHttp2 && status === 0 ? 200 : status
}

/** Whether Node sends a head with this status, instead of throwing; HTTP/2 sends it from within `writeHead`. */
export function isStatus(status: number, isHttp2: boolean): boolean {
  return isHttp2 ? status >= 200 && status <= 599 : status >= 100 && status <= 999
}
