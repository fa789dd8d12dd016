import type { Secrecy } from '../keys.js'
import type { KnownSecrets } from '../known-secrets.js'
import { IS_NAME, IS_VALUE } from '../shapes.js'
import { decode, decodeQuery } from './encoding.js'
import type { ReplaceSegment } from './route-params.js'
import type { Search } from './search.js'

/** Characters that may end a path. For `;` and `&` it depends on the router's options and the application's parser. */
const END_OF_PATH = /[?&;#]/

/** A segment of a path that looks like a key and its value. */
const PATH_PAIR = /(?<![^/])([^/=&;]+)=([^/]+)/g

/** The end of a key after separators that Fastify does not know: `token` in `?x;token=…`. */
const LAST_OF_KEY = /[^?;#]*$/

/**
 * Tells whether a URL, which gives no cue but perhaps `KEY`, holds only what `redactUrl` leaves as it is: a path
 * without pairs, then pairs of a key that is not secret and a plain value. Nearly every URL does. False says nothing.
 */
export function isHarmless(url: string, keys: Pick<Search, 'secrecyOf' | 'shapeOf'>): boolean {
  let start = -1
  let isKey = false
  let shapes = 0
  for (let index = 0; index < url.length; index++) {
    const code = url.charCodeAt(index)
    if (code === EQUALS) {
      const key = url.slice(start, index)
      if (!isKey || keys.secrecyOf(key) > 0) return false
      isKey = false
      shapes |= keys.shapeOf(key)
    } else if (code === AMPERSAND || code === QUESTION_MARK) {
      // The path ends at the first question mark. A second one may end a key.
      if ((start === -1) !== (code === QUESTION_MARK)) return false
      start = index + 1
      isKey = true
    } else if (code === SEMICOLON || code === NUMBER_SIGN) return false
    else if (start !== -1 && (code === COLON || code === QUOTE)) return false
  }
  // A name beside a value may be a secret's.
  return (shapes & (IS_NAME | IS_VALUE)) !== (IS_NAME | IS_VALUE)
}

const QUOTE = 0x22
const NUMBER_SIGN = 0x23
const AMPERSAND = 0x26
const COLON = 0x3a
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUESTION_MARK = 0x3f

/** Returns a path without the secret parameters of a route. */
export type RedactParams = (path: string, replace: ReplaceSegment) => string

/** Returns the URL of a request without secrets, and adds those of the route's parameters to `known`. */
export function redactUrl(url: string, params: RedactParams | null, search: Search, known?: KnownSecrets): string {
  const named = search.userInfo(redactPath(url, params, search, known))
  const end = named.search(END_OF_PATH)
  if (end === -1) return search.path(named)
  // Split at `&` alone: a password may hold the other separators, and Fastify's parser leaves them in it.
  const pairs = named.slice(end + 1).split('&')
  const name = secretNameIn(pairs, search)
  const query = pairs.map((pair) => redactPair(pair, name, search)).join('&')
  return search.path(named.slice(0, end)) + named.charAt(end) + query
}

/** Redacts a path up to `?` or `#`. A parameter or a value may hold a `;`, depending on the router's options. */
function redactPath(url: string, params: RedactParams | null, search: Search, known?: KnownSecrets): string {
  const end = endOfPath(url)
  const path = url.slice(0, end)
  const named = params === null ? path : params(path, replaceIn(search, known))
  const redacted = named.replace(PATH_PAIR, (pair, key: string, value: string) => {
    const secrecy = search.secrecyOf(key)
    return secrecy === 0 ? pair : `${key}=${search.replacement(decode(value), secrecy)}`
  })
  return redacted + url.slice(end)
}

/** Returns the length of a URL's path. The router's options decide whether `;` ends it. */
export function endOfPath(url: string): number {
  const end = url.search(/[?#]/)
  return end === -1 ? url.length : end
}

function replaceIn(search: Search, known?: KnownSecrets): ReplaceSegment {
  return (segment, secrecy) => {
    const clean = search.replacement(decode(segment), secrecy)
    known?.addSegment(segment, clean)
    return clean
  }
}

/** Redacts `key=value`, or a text without `=` between two separators. */
function redactPair(pair: string, name: string | undefined, search: Search): string {
  const equals = pair.indexOf('=')
  if (equals === -1) return search.encoded(pair)
  const key = pair.slice(0, equals)
  const value = pair.slice(equals + 1)
  const secrecy = value === '' ? 0 : secrecyOfKey(key, name, search)
  const clean = secrecy === 0 ? search.encoded(value) : search.replacement(decodeQuery(value), secrecy)
  return `${search.encoded(key)}=${clean}`
}

function secrecyOfKey(key: string, name: string | undefined, search: Search): Secrecy {
  const secrecy = search.secrecyOf(key)
  if (secrecy > 0) return secrecy
  if (name !== undefined && (search.shapeOf(key) & IS_VALUE) !== 0) return search.secrecyOf(name)
  return search.secrecyOf(LAST_OF_KEY.exec(key)?.[0] ?? '')
}

/** Returns the name of a secret value in a query: `?name=DB_PASSWORD&value=x`. */
function secretNameIn(pairs: readonly string[], search: Search): string | undefined {
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals === -1 || (search.shapeOf(pair.slice(0, equals)) & IS_NAME) === 0) continue
    const name = search.secretName(decodeQuery(pair.slice(equals + 1)))
    if (name !== undefined) return name
  }
  return undefined
}
