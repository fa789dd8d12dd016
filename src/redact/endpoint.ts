import { decode, decodeQuery } from './encoding.js'
import { type RouteParams, redactParams } from './route-params.js'
import type { Search } from './search.js'

/** What ends a path, and one key with its value. */
const SEPARATOR = /[?&;#]/g

/** A part of a path that looks like a key and its value. */
const PATH_PAIR = /(?<![^/])([^/=]+)=([^/]+)/g

/** The URL of a request without secrets. */
export function redactUrl(url: string, params: RouteParams | null, search: Search): string {
  const named = search.userInfo(params === null ? url : redactNamed(url, params, search))
  const query = named.search(SEPARATOR)
  if (query === -1) return redactPath(named, search)
  let redacted = redactPath(named.slice(0, query), search)
  SEPARATOR.lastIndex = query + 1
  for (let start = query; start < named.length; ) {
    const end = SEPARATOR.exec(named)?.index ?? named.length
    redacted += named.charAt(start) + redactPair(named.slice(start + 1, end), search)
    start = end
  }
  return redacted
}

/** To `?` or `#`: whether `;` ends a path, the router's options say, so that a parameter may hold one. */
function redactNamed(url: string, params: RouteParams, search: Search): string {
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  const redacted = redactParams(path, params, (segment, secrecy) => search.replacement(decode(segment), secrecy))
  return end === -1 ? redacted : redacted + url.slice(end)
}

function redactPath(path: string, search: Search): string {
  return search.path(path).replace(PATH_PAIR, (pair, key: string, value: string) => {
    const secrecy = search.secrecyOf(key)
    return secrecy === 0 ? pair : `${key}=${search.replacement(decode(value), secrecy)}`
  })
}

/** `key=value`, or what stands between two separators otherwise. */
function redactPair(pair: string, search: Search): string {
  const equals = pair.indexOf('=')
  if (equals === -1) return search.encoded(pair)
  const key = pair.slice(0, equals)
  const value = pair.slice(equals + 1)
  const secrecy = value === '' ? 0 : search.secrecyOf(key)
  const clean = secrecy === 0 ? search.encoded(value) : search.replacement(decodeQuery(value), secrecy)
  return `${search.encoded(key)}=${clean}`
}
