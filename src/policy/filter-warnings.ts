import { METHODS } from 'node:http'
import {
  type ActionFilterOptions,
  type FilterOptions,
  type HttpFilterOptions,
  isActionFilter,
} from './filter-options.js'
import { compileGlob, expandBraces } from './glob.js'
import type { RouterFolding } from './path.js'
import { endpointWarnings, operationWarnings, targetWarnings, titled } from './pattern-warnings.js'
import { EXCLUDES_RECEIVED, stageMask } from './stages.js'

/** Methods that change nothing: that they were asked for is in their `OperationComplete`. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Returns warnings at boot: patterns that match nothing that a client would send, and, under an
 * enforced sink, writes that begin unrecorded. `folding` is null without a server: there are no requests then.
 */
export function filterWarnings(
  filters: readonly FilterOptions[],
  folding: RouterFolding | null,
  { enforced }: { enforced: boolean },
): string[] {
  return filters.flatMap((filter, index) => {
    const name = titled('Filter', filter.name, index)
    const warnings = warningsOf(filter, folding, enforced)
    return warnings.map((warning) => `${name}: ${warning}`)
  })
}

function warningsOf(filter: FilterOptions, folding: RouterFolding | null, enforced: boolean): string[] {
  if (isActionFilter(filter)) return actionWarnings(filter)
  return folding === null ? [] : requestWarnings(filter, folding, enforced)
}

function actionWarnings({ targets = [] }: ActionFilterOptions): string[] {
  return targets.flatMap(targetWarnings)
}

function requestWarnings(filter: HttpFilterOptions, folding: RouterFolding, enforced: boolean): string[] {
  return [
    ...filter.operations.flatMap(operationWarnings),
    ...filter.endpoints.flatMap((pattern) => endpointWarnings(pattern, folding, 'matches no request')),
    ...(enforced ? unrecordedWrites(filter) : []),
  ]
}

function unrecordedWrites(filter: HttpFilterOptions): string[] {
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
