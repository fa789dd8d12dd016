import type { Secrecy } from '../keys.js'
import { decode } from './encoding.js'

/** One segment of a route's pattern: fixed text, or how secret it is what stands there. */
type Segment = { readonly text: string } | { readonly secrecy: Secrecy }

/** Where the secret parameters of a route stand in its URLs. */
export interface RouteParams {
  readonly segments: readonly Segment[]
  /** The last segment takes the rest of the path. */
  readonly hasWildcard: boolean
}

/** Where a pattern's parameters stand whose names are secret; null when it has none, as nearly every pattern. */
export function routeParams(pattern: string, secrecyOf: (name: string) => Secrecy): RouteParams | null {
  const segments = splitPattern(pattern).map((segment) => toSegment(segment, secrecyOf))
  if (!segments.some((segment) => 'secrecy' in segment && segment.secrecy > 0)) return null
  return { segments, hasWildcard: pattern.endsWith('*') }
}

/**
 * A path with `replace` for each segment that holds a secret parameter. A path that does not fit the pattern (a
 * rewritten URL, slashes that the router folds) keeps only what is fixed at its beginning: where its parameters stand
 * cannot be told.
 */
export function redactParams(
  path: string,
  params: RouteParams,
  replace: (segment: string, secrecy: Secrecy) => string,
): string {
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

/** Whether a path may be one of a route's. */
export function fitsRoute(path: string, params: RouteParams): boolean {
  return fits(path.slice(startOfPath(path)).split('/'), params)
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
  return { secrecy: names.map(secrecyOf).reduce((most, one) => (one > most ? one : most), 0) }
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
