import { METHODS } from 'node:http'
import { type Facts, NO_FACTS } from './facts.js'
import { type FilterOptions, type HttpFilterOptions, isActionFilter } from './filter-options.js'
import { expandBraces } from './glob.js'
import { type RouterFolding, type Spellings, spellings } from './path.js'
import { inCase, isAnything, matchesOperation, PatternSet } from './pattern-set.js'
import { EXCLUDES_BOTH, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED, stageMask } from './stages.js'
import { statusTable } from './statuses.js'
import { compileWho, matchesWho, type Who } from './who.js'

/** All filters of a plugin or sink that are for requests, as one. */
export interface Filters {
  readonly isEmpty: boolean
  /** True if a filter needs the status. */
  readonly hasStatuses: boolean
  readonly needsActor: boolean
  readonly needsNamespace: boolean
  /**
   * Which stages of a request are not recorded, whatever its status will be: `EXCLUDES_RECEIVED` and
   * `EXCLUDES_COMPLETE`, as bits.
   */
  excluded(operation: string, url: string, facts?: Facts): number
  /** Tells whether the Complete of a request is not recorded because of its status. */
  excludesStatus(operation: string, url: string, statusCode: number, facts?: Facts): boolean
}

/** The filters of one operation. */
interface OperationFilters {
  /** The stages that are excluded whatever the path, so that the path need not be read. */
  readonly always: number
  /** The other patterns, by what they exclude; those of a filter by actor or namespace apart. */
  readonly byMask: readonly MaskFilter[]
  readonly byStatus: readonly StatusFilter[]
}

interface MaskFilter extends Who {
  readonly mask: number
  readonly endpoints: PatternSet
}

interface StatusFilter extends Who {
  /** 1 at the statuses that are meant. */
  readonly statuses: Uint8Array
  /** Absent where every path is meant. */
  readonly endpoints: PatternSet | undefined
}

interface CompiledFilter extends Who {
  readonly mask: number
  readonly endpoints: readonly string[]
  readonly operations: readonly string[]
  readonly statuses: Uint8Array | undefined
}

const NO_FILTERS: Filters = {
  isEmpty: true,
  hasStatuses: false,
  needsActor: false,
  needsNamespace: false,
  excluded: () => 0,
  excludesStatus: () => false,
}

const ANYBODY: Who = { actors: undefined, namespaces: undefined }

/**
 * Compiles those filters that are for requests, for a server whose router folds URLs so.
 *
 * @throws {PatternError} when the braces of a pattern are not sound.
 */
export function compileFilters(filters: readonly FilterOptions[], folding: RouterFolding): Filters {
  const compiled = filters.flatMap((filter) => (isActionFilter(filter) ? [] : [compileFilter(filter, folding)]))
  if (compiled.length === 0) return NO_FILTERS
  const byOperation = new Map(METHODS.map((method) => [method, operationFilters(compiled, method)]))
  // HTTP/2 lets a client invent methods: those share what holds for every operation, and nothing is kept of them.
  const invented = operationFilters(compiled)

  return {
    isEmpty: false,
    hasStatuses: compiled.some(({ statuses }) => statuses !== undefined),
    needsActor: compiled.some(({ actors }) => actors !== undefined),
    needsNamespace: compiled.some(({ namespaces }) => namespaces !== undefined),
    excluded(operation, url, facts = NO_FACTS) {
      const { always, byMask } = byOperation.get(operation) ?? invented
      return byMask.length === 0 ? always : always | excludedByPath(byMask, spellings(url, folding), facts)
    },
    excludesStatus(operation, url, statusCode, facts = NO_FACTS) {
      const { byStatus } = byOperation.get(operation) ?? invented
      return excludedByStatus(byStatus, url, statusCode, folding, facts)
    },
  }
}

/** A path is excluded when it is as the client spelled it AND as the router reads it: no spelling escapes the trail. */
function excludedByPath(byMask: readonly MaskFilter[], { raw, canonical }: Spellings, facts: Facts): number {
  let excluded = 0
  for (const filter of byMask) {
    const { mask, endpoints } = filter
    if ((excluded & mask) === mask || !matchesWho(filter, facts)) continue
    if (endpoints.matchesBoth(raw, canonical)) excluded |= mask
  }
  return excluded
}

function excludedByStatus(
  filters: readonly StatusFilter[],
  url: string,
  statusCode: number,
  folding: RouterFolding,
  facts: Facts,
): boolean {
  let path: Spellings | undefined
  for (const filter of filters) {
    const { statuses, endpoints } = filter
    if (statuses[statusCode] !== 1 || !matchesWho(filter, facts)) continue
    if (endpoints === undefined) return true
    path ??= spellings(url, folding)
    if (endpoints.matchesBoth(path.raw, path.canonical)) return true
  }
  return false
}

function compileFilter(filter: HttpFilterOptions, folding: RouterFolding): CompiledFilter {
  return {
    ...compileWho(filter),
    mask: stageMask(filter.stages),
    endpoints: inCase(filter.endpoints.flatMap(expandBraces), folding),
    operations: filter.operations.flatMap(expandBraces),
    statuses: filter.statuses === undefined ? undefined : statusTable(filter.statuses),
  }
}

/** Returns the filters of a method, or, without a method, those that hold for every method. */
function operationFilters(filters: readonly CompiledFilter[], method?: string): OperationFilters {
  const masks = new Map<string, number>()
  const byWho: MaskFilter[] = []
  const byStatus: StatusFilter[] = []
  for (const { mask, endpoints, operations, statuses, actors, namespaces } of filters) {
    if (!matchesOperation(operations, method)) continue
    if (statuses !== undefined) {
      const patterns = endpoints.some(isAnything) ? undefined : new PatternSet(endpoints)
      byStatus.push({ statuses, endpoints: patterns, actors, namespaces })
    } else if (actors !== undefined || namespaces !== undefined) {
      byWho.push({ mask, endpoints: new PatternSet(endpoints), actors, namespaces })
    } else {
      for (const pattern of endpoints) masks.set(pattern, (masks.get(pattern) ?? 0) | mask)
    }
  }
  const always = masks.get('*') ?? 0
  return { always, byMask: [...filtersByMask(masks, always), ...byWho], byStatus }
}

function filtersByMask(masks: ReadonlyMap<string, number>, always: number): MaskFilter[] {
  return [EXCLUDES_BOTH, EXCLUDES_RECEIVED, EXCLUDES_COMPLETE].flatMap((mask) => {
    const patterns = [...masks.keys()].filter((pattern) => ((masks.get(pattern) ?? 0) & ~always) === mask)
    return patterns.length === 0 ? [] : [{ ...ANYBODY, mask, endpoints: new PatternSet(patterns) }]
  })
}
