import { METHODS } from 'node:http'
import type { Stage } from '../event/event.js'
import { compileGlob, expandBraces } from './glob.js'
import { type RouterFolding, type Spellings, spellings } from './path.js'
import { isAnything, matchesOperation, PatternSet } from './pattern-set.js'
import { endpointWarnings, operationWarnings, titled } from './pattern-warnings.js'
import { statusTable } from './statuses.js'

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
  /** The filter's name in warnings. */
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
  /**
   * Statuses, such as `'404'`, or classes of them, such as `'2xx'`: only an `OperationComplete` that has one of them is
   * meant, and no `OperationReceived`. Absent: whatever the status.
   */
  statuses?: readonly string[] | undefined
}

/** The bit of `Filters.excluded` that stands for `OperationReceived`. */
export const EXCLUDES_RECEIVED = 1

/** The bit of `Filters.excluded` that stands for `OperationComplete`. */
export const EXCLUDES_COMPLETE = 2

const EXCLUDES_BOTH = EXCLUDES_RECEIVED | EXCLUDES_COMPLETE

/** All filters of a plugin or sink as one. */
export interface Filters {
  readonly isEmpty: boolean
  /** True if a filter needs the status. */
  readonly hasStatuses: boolean
  /**
   * Which stages of a request are not recorded, whatever its status will be: `EXCLUDES_RECEIVED` and
   * `EXCLUDES_COMPLETE`, as bits.
   */
  excluded(operation: string, url: string): number
  /** Tells whether the Complete of a request is not recorded because of its status. */
  excludesStatus(operation: string, url: string, statusCode: number): boolean
}

/** The filters of one operation. */
interface OperationFilters {
  /** The stages that are excluded whatever the path, so that the path need not be read. */
  readonly always: number
  /** The other patterns, by what they exclude. */
  readonly byMask: readonly { readonly mask: number; readonly endpoints: PatternSet }[]
  readonly byStatus: readonly StatusFilter[]
}

interface StatusFilter {
  /** 1 at the statuses that are meant. */
  readonly statuses: Uint8Array
  /** Absent where every path is meant. */
  readonly endpoints: PatternSet | undefined
}

interface CompiledFilter {
  readonly mask: number
  readonly endpoints: readonly string[]
  readonly operations: readonly string[]
  readonly statuses: Uint8Array | undefined
}

const NO_FILTERS: Filters = {
  isEmpty: true,
  hasStatuses: false,
  excluded: () => 0,
  excludesStatus: () => false,
}

/**
 * Compiles filters for a server whose router folds URLs so.
 *
 * @throws {PatternError} when the braces of a pattern are not sound.
 */
export function compileFilters(filters: readonly FilterOptions[], folding: RouterFolding): Filters {
  if (filters.length === 0) return NO_FILTERS
  const compiled = filters.map((filter) => compileFilter(filter, folding))
  const byOperation = new Map(METHODS.map((method) => [method, operationFilters(compiled, method)]))
  // HTTP/2 lets a client invent methods: those share what holds for every operation, and nothing is kept of them.
  const invented = operationFilters(compiled)

  return {
    isEmpty: false,
    hasStatuses: compiled.some(({ statuses }) => statuses !== undefined),
    excluded(operation, url) {
      const { always, byMask } = byOperation.get(operation) ?? invented
      return byMask.length === 0 ? always : always | excludedByPath(byMask, spellings(url, folding))
    },
    excludesStatus(operation, url, statusCode) {
      const { byStatus } = byOperation.get(operation) ?? invented
      return excludedByStatus(byStatus, url, statusCode, folding)
    },
  }
}

/** A path is excluded when it is as the client spelled it AND as the router reads it: no spelling escapes the trail. */
function excludedByPath(byMask: OperationFilters['byMask'], { raw, canonical }: Spellings): number {
  let excluded = 0
  for (const { mask, endpoints } of byMask) {
    if ((excluded & mask) !== mask && endpoints.matchesBoth(raw, canonical)) excluded |= mask
  }
  return excluded
}

function excludedByStatus(
  filters: readonly StatusFilter[],
  url: string,
  statusCode: number,
  folding: RouterFolding,
): boolean {
  let path: Spellings | undefined
  for (const { statuses, endpoints } of filters) {
    if (statuses[statusCode] !== 1) continue
    if (endpoints === undefined) return true
    path ??= spellings(url, folding)
    if (endpoints.matchesBoth(path.raw, path.canonical)) return true
  }
  return false
}

function compileFilter(filter: FilterOptions, folding: RouterFolding): CompiledFilter {
  const endpoints = filter.endpoints.flatMap(expandBraces)
  return {
    mask: stageMask(filter.stages),
    endpoints: folding.caseSensitive ? endpoints : endpoints.map((pattern) => pattern.toLowerCase()),
    operations: filter.operations.flatMap(expandBraces),
    statuses: filter.statuses === undefined ? undefined : statusTable(filter.statuses),
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

/** Returns the filters of a method, or, without a method, those that hold for every method. */
function operationFilters(filters: readonly CompiledFilter[], method?: string): OperationFilters {
  const masks = new Map<string, number>()
  const byStatus: StatusFilter[] = []
  for (const { mask, endpoints, operations, statuses } of filters) {
    if (!matchesOperation(operations, method)) continue
    if (statuses === undefined) {
      for (const pattern of endpoints) masks.set(pattern, (masks.get(pattern) ?? 0) | mask)
    } else {
      byStatus.push({ statuses, endpoints: endpoints.some(isAnything) ? undefined : new PatternSet(endpoints) })
    }
  }
  const always = masks.get('*') ?? 0
  const byMask = []
  for (const mask of [EXCLUDES_BOTH, EXCLUDES_RECEIVED, EXCLUDES_COMPLETE]) {
    const patterns = [...masks.keys()].filter((pattern) => ((masks.get(pattern) ?? 0) & ~always) === mask)
    if (patterns.length > 0) byMask.push({ mask, endpoints: new PatternSet(patterns) })
  }
  return { always, byMask, byStatus }
}

/** Methods that change nothing: that they were asked for is in their `OperationComplete`. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Returns warnings at boot: patterns that match nothing that a client would send, and, under an
 * enforced sink, writes that begin unrecorded.
 */
export function filterWarnings(
  filters: readonly FilterOptions[],
  folding: RouterFolding,
  { enforced }: { enforced: boolean },
): string[] {
  return filters.flatMap((filter, index) => {
    const name = titled('Filter', filter.name, index)
    return [
      ...filter.operations.flatMap(operationWarnings),
      ...filter.endpoints.flatMap((pattern) => endpointWarnings(pattern, folding, 'matches no request')),
      ...(enforced ? unrecordedWrites(filter) : []),
    ].map((warning) => `${name}: ${warning}`)
  })
}

function unrecordedWrites(filter: FilterOptions): string[] {
  if (filter.statuses !== undefined || (stageMask(filter.stages) & EXCLUDES_RECEIVED) === 0) return []
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
