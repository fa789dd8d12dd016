import { mostSecret, type Secrecy } from '../keys.js'
import { decode } from './encoding.js'

/** One segment of a route's pattern: fixed text, or how secret it is what stands there. */
type Segment = { readonly text: string } | { readonly secrecy: Secrecy }

/** Where the secret parameters of a route stand in its URLs. */
export interface RouteParams {
  readonly segments: readonly Segment[]
  /** The last segment takes the rest of the path. */
  readonly hasWildcard: boolean
  /** The fixed segment nearest before the first secret one, in lower case; null when there is none. */
  readonly landmark: string | null
}

/** What stands in the place of a segment of a path. */
export type ReplaceSegment = (segment: string, secrecy: Secrecy) => string

/** Where a pattern's parameters stand whose names are secret; null when it has none, as nearly every pattern. */
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
 * A path with `replace` for each segment that holds a secret parameter. A path that does not fit the pattern (a
 * rewritten URL, slashes that the router folds) keeps only what is fixed at its beginning: where its parameters stand
 * cannot be told.
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

/** Where segments end in a path that no route took: at slashes of any kind, encoded up to twice. */
const SLASH = /[/\\]|%(?:25)?(?:2f|5c)/gi

/** What a client may write after a segment instead of a slash. */
const AFTER_LANDMARK = /^[;:=,?#&\s]/

/**
 * A path that no route took with `replace` for each segment that may be a secret parameter of one of `routes`: where it
 * fits a route, and else everything after that route's last fixed part before the parameter, wherever that stands. It may
 * have a segment or a slash too many, encoded slashes, or something malformed in it.
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

/** Where the first landmark of a route ends in a path; the path's end when it has none. */
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

/** A path with each segment between two separators as `map` makes it. */
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

/** Splits at slashes, but for those of a parameter's regular expression. */
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
 * `::` is a colon; a parameter's name ends at `(`, `-`, `.` or `?`, as in the router, and at a colon, as its author means
 * it: to the router `:token::cancel` is one name.
 */
function toSegment(segment: string, secrecyOf: (name: string) => Secrecy): Segment {
  const single = segment.replaceAll('::', ':')
  if (!/[:*]/.test(segment.replaceAll('::', ''))) return { text: single.toLowerCase() }
  const names = [...single.matchAll(/:([^:(\-.?]*)|(\*)/g)].map(([, name, wildcard]) => name ?? wildcard ?? '')
  return { secrecy: mostSecret(names.map(secrecyOf)) }
}

/** Of a URL in absolute form, where its path begins. */
function startOfPath(path: string): number {
  if (path.startsWith('/')) return 0
  const authority = path.indexOf('://')
  if (authority === -1) return 0
  const slash = path.indexOf('/', authority + 3)
  return slash === -1 ? path.length : slash
}

function fits(segments: readonly string[], { segments: pattern, hasWildcard }: RouteParams): boolean {
  const extra = segments.length - pattern.length
  // A slash at the end, and a last parameter that may be missing, are the only liberties that shift nothing.
  const isShifted = hasWildcard ? extra < 0 : extra > 1 || extra < -1 || (extra === 1 && segments.at(-1) !== '')
  if (isShifted) return false
  return segments.every((segment, index) => {
    const expected = pattern[index]
    if (expected === undefined) return true
    // An empty parameter is one whose neighbours may have moved: `//` may be one slash to the router.
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
