import { METHODS } from 'node:http'
import type { Stage } from './event.js'
import { compileGlob, expandBraces } from './glob.js'
import { canonicalPath, type RouterFolding, rawPath } from './path.js'

/**
 * Events that are not recorded: those of which an endpoint, a stage and an operation match.
 *
 * @example
 * ```ts
 * import type { FilterOptions } from 'fastify-audit-log'
 *
 * const reads: FilterOptions = { endpoints: ['*'], stages: ['OperationReceived'], operations: ['{GET,HEAD}'] }
 * ```
 */
export interface FilterOptions {
  /** What warnings call the filter. */
  name?: string | undefined
  /**
   * The kind of event that is meant; there is one.
   * @default 'HTTPEvent'
   */
  type?: 'HTTPEvent' | undefined
  /** Globs over the URL's path, such as `'/health'` or `'/v{1..3}/jobs/*'`. */
  endpoints: readonly string[]
  stages: readonly (Stage | '*')[]
  /** HTTP methods in upper case, or globs over them, such as `'{GET,HEAD}'`. */
  operations: readonly string[]
}

/** The bit of `Filters.excluded` that stands for `OperationReceived`. */
export const EXCLUDES_RECEIVED = 1

/** The bit of `Filters.excluded` that stands for `OperationComplete`. */
export const EXCLUDES_COMPLETE = 2

const EXCLUDES_BOTH = EXCLUDES_RECEIVED | EXCLUDES_COMPLETE

/** All filters of a plugin or sink as one. */
export interface Filters {
  readonly isEmpty: boolean
  /** Which stages of a request are not recorded: `EXCLUDES_RECEIVED` and `EXCLUDES_COMPLETE`, as bits. */
  excluded(operation: string, url: string): number
}

/** Endpoint patterns, compiled so that the common kinds cost a look-up. */
export class EndpointMatcher {
  readonly #exact = new Set<string>()
  readonly #prefixes: string[] = []
  readonly #globs: ((text: string) => boolean)[] = []

  /** Takes patterns whose braces are expanded, in the router's case. */
  constructor(patterns: Iterable<string>) {
    for (const pattern of new Set(patterns)) {
      const star = pattern.indexOf('*')
      if (star === -1) this.#exact.add(pattern)
      else if (star === pattern.length - 1) this.#prefixes.push(pattern.slice(0, -1))
      else this.#globs.push(compileGlob(pattern))
    }
  }

  /** Whether one and the same pattern matches both spellings of a path. */
  matchesBoth(raw: string, canonical: string): boolean {
    const same = raw === canonical
    if (same && this.#exact.has(raw)) return true
    for (const prefix of this.#prefixes) {
      if (raw.startsWith(prefix) && (same || canonical.startsWith(prefix))) return true
    }
    for (const matches of this.#globs) {
      if (matches(raw) && (same || matches(canonical))) return true
    }
    return false
  }
}

/** What one operation's events are excluded by. */
interface OperationFilters {
  /** What is excluded whatever the path, so that it need not be looked at. */
  readonly always: number
  /** The other patterns, by what they exclude. */
  readonly byMask: readonly { readonly mask: number; readonly endpoints: EndpointMatcher }[]
}

interface CompiledFilter {
  readonly mask: number
  readonly endpoints: readonly string[]
  readonly operations: readonly string[]
}

/**
 * Compiles filters for a server whose router folds URLs so.
 *
 * @throws {PatternError} when the braces of a pattern are not sound.
 */
export function compileFilters(filters: readonly FilterOptions[], folding: RouterFolding): Filters {
  if (filters.length === 0) return { isEmpty: true, excluded: () => 0 }
  const compiled = filters.map((filter) => compileFilter(filter, folding))
  const byOperation = new Map(METHODS.map((method) => [method, operationFilters(compiled, method)]))
  // HTTP/2 lets a client invent methods: those share what holds for every operation, and nothing is kept of them.
  const invented = operationFilters(compiled)

  return {
    isEmpty: false,
    excluded(operation, url) {
      const { always, byMask } = byOperation.get(operation) ?? invented
      return byMask.length === 0 ? always : always | excludedByPath(byMask, url, folding)
    },
  }
}

/** A path is excluded when it is as the client spelled it AND as the router reads it: no spelling escapes the trail. */
function excludedByPath(byMask: OperationFilters['byMask'], url: string, folding: RouterFolding): number {
  const sent = rawPath(url, folding)
  const canonical = canonicalPath(sent, folding)
  const raw = folding.caseSensitive ? sent : sent.toLowerCase()
  let excluded = 0
  for (const { mask, endpoints } of byMask) {
    if ((excluded & mask) !== mask && endpoints.matchesBoth(raw, canonical)) excluded |= mask
  }
  return excluded
}

function compileFilter(filter: FilterOptions, folding: RouterFolding): CompiledFilter {
  const endpoints = filter.endpoints.flatMap(expandBraces)
  return {
    mask: stageMask(filter.stages),
    endpoints: folding.caseSensitive ? endpoints : endpoints.map((pattern) => pattern.toLowerCase()),
    operations: filter.operations.flatMap(expandBraces),
  }
}

function stageMask(stages: readonly (Stage | '*')[]): number {
  let mask = 0
  for (const stage of stages) {
    if (stage !== 'OperationComplete') mask |= EXCLUDES_RECEIVED
    if (stage !== 'OperationReceived') mask |= EXCLUDES_COMPLETE
  }
  return mask
}

/** What holds for a method, or, without one, for every method there may be. */
function operationFilters(filters: readonly CompiledFilter[], method?: string): OperationFilters {
  const masks = new Map<string, number>()
  for (const { mask, endpoints, operations } of filters) {
    const holds = operations.some((glob) => (method === undefined ? /^\*+$/.test(glob) : compileGlob(glob)(method)))
    if (!holds) continue
    for (const pattern of endpoints) masks.set(pattern, (masks.get(pattern) ?? 0) | mask)
  }
  const always = masks.get('*') ?? 0
  const byMask = []
  for (const mask of [EXCLUDES_BOTH, EXCLUDES_RECEIVED, EXCLUDES_COMPLETE]) {
    const patterns = [...masks.keys()].filter((pattern) => ((masks.get(pattern) ?? 0) & ~always) === mask)
    if (patterns.length > 0) byMask.push({ mask, endpoints: new EndpointMatcher(patterns) })
  }
  return { always, byMask }
}

/** Methods that change nothing: that they were asked for is in their `OperationComplete`. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * What the author of filters should know at boot: patterns that match nothing a client would send, and, under an
 * enforced sink, writes that begin unrecorded.
 */
export function filterWarnings(
  filters: readonly FilterOptions[],
  folding: RouterFolding,
  { enforced }: { enforced: boolean },
): string[] {
  return filters.flatMap((filter, index) => {
    const name = filter.name === undefined ? `Filter ${index + 1}` : `Filter ${JSON.stringify(filter.name)}`
    return [
      ...filter.operations.flatMap(operationWarnings),
      ...filter.endpoints.flatMap((pattern) => endpointWarnings(pattern, folding)),
      ...(enforced ? unrecordedWrites(filter) : []),
    ].map((warning) => `${name}: ${warning}`)
  })
}

function operationWarnings(pattern: string): string[] {
  const unmatched = expandBraces(pattern).filter((glob) => !METHODS.some(compileGlob(glob)))
  return unmatched.map(
    (glob) =>
      `operation ${JSON.stringify(glob)} matches no HTTP method; write one such as "GET", in upper case, or "*"`,
  )
}

function endpointWarnings(pattern: string, folding: RouterFolding): string[] {
  return expandBraces(pattern).flatMap((glob) => {
    const problem = endpointMismatch(glob, folding)
    return problem === undefined ? [] : [`endpoint ${JSON.stringify(glob)} matches no request: ${problem}`]
  })
}

/** Why no canonical path, or none that a client spells literally, matches a pattern. */
function endpointMismatch(glob: string, folding: RouterFolding): string | undefined {
  const delimiter = (folding.useSemicolonDelimiter ? /[?#;]/ : /[?#]/).exec(glob)?.[0]
  if (delimiter !== undefined) {
    return `a path is cut at its first "${delimiter}"; write the path alone ("*" is the only wildcard)`
  }
  if (/^https?:/i.test(glob)) return 'scheme and host are removed from a URL; write the path'
  if (!/^[/*]/.test(glob)) return 'a path begins with "/"; write it, or "*" before the pattern'
  if (folding.caseSensitive ? /%(?!2F)/.test(glob) : /%(?!2f)/i.test(glob)) {
    return 'percent-encoded characters are decoded ("%2F" alone is kept); write "*" for the character'
  }
  if ([...glob].some(isEncodedByClients)) {
    return 'clients percent-encode spaces, control and non-ASCII characters; write "*" for each of them'
  }
  if (folding.ignoreDuplicateSlashes && glob.includes('//')) return 'this router takes "//" for "/"; write "/"'
  if (folding.ignoreTrailingSlash && glob.endsWith('/') && !compileGlob(glob)('/')) {
    return 'this router ignores a trailing slash; leave it out'
  }
  return undefined
}

function isEncodedByClients(char: string): boolean {
  return char <= ' ' || char > '~' || char === '<' || char === '>'
}

function unrecordedWrites(filter: FilterOptions): string[] {
  if ((stageMask(filter.stages) & EXCLUDES_RECEIVED) === 0) return []
  const globs = filter.operations.flatMap(expandBraces).map(compileGlob)
  const methods = new Set(['POST', 'PUT', 'PATCH', 'DELETE', ...METHODS])
  const writes = [...methods].filter((method) => !READS.has(method) && globs.some((matches) => matches(method)))
  if (writes.length === 0) return []
  const named = writes.length > 5 ? `${writes.slice(0, 4).join(', ')} and ${writes.length - 4} more` : writes.join(', ')
  return [
    `excludes OperationReceived of ${named}: such a request is processed before anything is stored, ` +
      'although a sink is "enforced"; exclude OperationReceived of GET, HEAD and OPTIONS alone',
  ]
}
