import { mostSecret, type Secrecy } from '../keys.js'
import { decode } from './encoding.js'

/** One segment of a route's pattern: its fixed text, or the secrecy of its parameters. */
type Segment = { readonly text: string } | { readonly secrecy: Secrecy }

/** The places of a route's secret parameters in its URLs. */
export interface RouteParams {
  readonly segments: readonly Segment[]
  /** The last segment takes the rest of the path. */
  readonly hasWildcard: boolean
  /** The nearest fixed segment before the first secret one, in lower case; null if there is none. */
  readonly landmark: string | null
}

/** Returns the replacement of a segment. */
export type ReplaceSegment = (segment: string, secrecy: Secrecy) => string

/** Returns the places of a pattern's secret parameters; null if it has none, as nearly every pattern. */
export function routeParams(pattern: string, secrecyOf: (name: string) => Secrecy): RouteParams | null {
  const segments = splitPattern(pattern).map((segment) => toSegment(segment, secrecyOf))
  const secret = segments.findIndex((segment) => 'secrecy' in segment && segment.secrecy > 0)
  if (secret === -1) return null
  const fixed = segments.slice(0, secret).findLast((segment) => 'text' in segment && segment.text !== '')
  return {
    segments,
    hasWildcard: pattern.endsWith('*'),
    landmark: fixed !== undefined && 'text' in fixed ? fixed.text : null,
  }
}

/**
 * Replaces each segment of a path that holds a secret parameter. If the path does not fit the pattern (a rewritten URL,
 * slashes that the router folds), the places of its parameters are unknown, and only its fixed beginning stays.
 */
export function redactParams(path: string, params: RouteParams, replace: ReplaceSegment): string {
  const start = startOfPath(path)
  const segments = path.slice(start).split('/')
  const { segments: pattern } = params
  const doesFit = fits(segments, params)
  let fixed = 0
  while (fixed < segments.length && matches(segments[fixed] ?? '', pattern[fixed])) fixed++
  const redacted = segments.map((segment, index) => {
    const secrecy = doesFit ? secrecyAt(params, index) : index < fixed ? 0 : 2
    return secrecy > 0 && segment !== '' ? replace(segment, secrecy) : segment
  })
  return path.slice(0, start) + redacted.join('/')
}

/** Ends of segments in a path that no route took: slashes of any kind, encoded up to twice. */
const SLASH = /[/\\]|%(?:25)?(?:2f|5c)/gi

/** Characters that a client may write instead of a slash. */
const AFTER_LANDMARK = /^[;:=,?#&\s]/

/**
 * Replaces each segment that may be a secret parameter in a path that no route took. If the path fits one of `routes`,
 * these are its parameters; else everything after that route's last fixed segment before the parameter, wherever that
 * stands. The path may have a segment or a slash too many, encoded slashes, or malformed encodings.
 */
export function redactUnrouted(path: string, routes: readonly RouteParams[], replace: ReplaceSegment): string {
  const start = startOfPath(path)
  const rest = path.slice(start)
  const segments = rest.split('/')
  const fitting = routes.filter((params) => fits(segments, params))
  const end = startOfSecrets(
    rest,
    routes.filter((params) => !fitting.includes(params)),
  )
  const named = mapSegments(rest.slice(0, end), /\//g, (segment, index) => {
    const secrecy = mostSecret(fitting.map((params) => secrecyAt(params, index)))
    return secrecy > 0 && segment !== '' ? replace(segment, secrecy) : segment
  })
  const hidden = mapSegments(rest.slice(end), SLASH, (segment) => (segment === '' ? '' : replace(segment, 2)))
  return path.slice(0, start) + named + hidden
}

/** Returns the end of a route's first landmark in a path; the path's end if there is none. */
function startOfSecrets(path: string, routes: readonly RouteParams[]): number {
  if (routes.length === 0) return path.length
  if (routes.some(({ landmark }) => landmark === null)) return 0
  const landmarks = new Set(routes.map(({ landmark }) => landmark))
  let start = 0
  for (const slash of [...path.matchAll(SLASH), { index: path.length, 0: '' }]) {
    const segment = decode(decode(path.slice(start, slash.index))).toLowerCase()
    const end = slash.index + slash[0].length
    if (landmarks.has(segment)) return end
    for (const landmark of landmarks) {
      if (landmark !== null && segment.startsWith(landmark) && AFTER_LANDMARK.test(segment.slice(landmark.length)))
        return start
    }
    start = end
  }
  return path.length
}

/** Maps each segment of a path, and keeps its separators. */
function mapSegments(path: string, separator: RegExp, map: (segment: string, index: number) => string): string {
  let mapped = ''
  let start = 0
  let index = 0
  for (const { 0: found, index: end } of path.matchAll(separator)) {
    mapped += map(path.slice(start, end), index++) + found
    start = end + found.length
  }
  return mapped + map(path.slice(start), index)
}

/** Splits a pattern at slashes, except those in a parameter's regular expression. */
function splitPattern(pattern: string): string[] {
  const segments: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index)
    if (character === '\\') index++
    else if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === '/' && depth <= 0) {
      segments.push(pattern.slice(start, index))
      start = index + 1
    }
  }
  segments.push(pattern.slice(start))
  return segments
}

/**
 * Reads a segment of a pattern. `::` is a colon. A parameter's name ends at `(`, `-`, `.` or `?`, as in the router, and
 * at a colon, as its author means it; the router takes `:token::cancel` for one name.
 */
function toSegment(segment: string, secrecyOf: (name: string) => Secrecy): Segment {
  const single = segment.replaceAll('::', ':')
  if (!/[:*]/.test(segment.replaceAll('::', ''))) return { text: single.toLowerCase() }
  const names = [...single.matchAll(/:([^:(\-.?]*)|(\*)/g)].map(([, name, wildcard]) => name ?? wildcard ?? '')
  return { secrecy: mostSecret(names.map(secrecyOf)) }
}

/** Returns the start of the path, also in a URL in absolute form. */
function startOfPath(path: string): number {
  if (path.startsWith('/')) return 0
  const authority = path.indexOf('://')
  if (authority === -1) return 0
  const slash = path.indexOf('/', authority + 3)
  return slash === -1 ? path.length : slash
}

function fits(segments: readonly string[], { segments: pattern, hasWildcard }: RouteParams): boolean {
  const extra = segments.length - pattern.length
  // Only a slash at the end and a missing last parameter shift nothing.
  const isShifted = hasWildcard ? extra < 0 : extra > 1 || extra < -1 || (extra === 1 && segments.at(-1) !== '')
  if (isShifted) return false
  return segments.every((segment, index) => {
    const expected = pattern[index]
    if (expected === undefined) return true
    // After an empty segment the others may be shifted: the router may take `//` for one slash.
    return 'secrecy' in expected ? segment !== '' || index >= segments.length - 1 : matches(segment, expected)
  })
}

function matches(segment: string, expected: Segment | undefined): boolean {
  return expected !== undefined && 'text' in expected && decode(segment).toLowerCase() === expected.text
}

function secrecyAt({ segments, hasWildcard }: RouteParams, index: number): Secrecy {
  const segment = segments[hasWildcard ? Math.min(index, segments.length - 1) : index]
  return segment !== undefined && 'secrecy' in segment ? segment.secrecy : 0
}
