import { expandBraces } from './glob.js'
import type { RouterFolding } from './path.js'
import { isAnything } from './pattern-set.js'
import { endpointWarnings, operationWarnings, targetWarnings } from './pattern-warnings.js'
import type { SinkPolicyOptions } from './recording-policy.js'
import type { SelectorOptions } from './selection.js'

/** A sink's options, for warnings about its `only`. */
type NamedSink = Pick<SinkPolicyOptions, 'only' | 'deliveryGuarantee'> & { readonly name: string }

/** Returns warnings at boot: selectors that match nothing, and what no enforced sink may record. */
export function selectionWarnings(sinks: readonly NamedSink[], folding: RouterFolding): string[] {
  return [...sinks.flatMap((sink) => unmatchedPatterns(sink, folding)), ...unclaimed(sinks)]
}

function unmatchedPatterns({ name, only = [] }: NamedSink, folding: RouterFolding): string[] {
  return only.flatMap(({ endpoints = [], operations = [], targets = [] }, index) =>
    [
      ...operations.flatMap(operationWarnings),
      ...endpoints.flatMap((pattern) => endpointWarnings(pattern, folding, 'matches no path as clients spell it')),
      ...targets.flatMap(targetWarnings),
    ].map((warning) => `Sink "${name}": only[${index}]: ${warning}`),
  )
}

function unclaimed(sinks: readonly NamedSink[]): string[] {
  const enforced = sinks.filter(({ deliveryGuarantee }) => deliveryGuarantee === 'enforced')
  if (enforced.length === 0 || enforced.some(({ only }) => only === undefined || only.some(selectsEverything)))
    return []
  return [
    'every sink that is "enforced" has `only`, and none selects everything: what none of them selects is served ' +
      'although no enforced sink records it, and is counted as `unclaimed`; ' +
      "give one of them a selector such as { namespaces: ['*'] }, or add a sink without `only`",
  ]
}

/** Tells whether a selector matches every request and every action: a list over what either may lack does not. */
function selectsEverything({ namespaces, actors, ...others }: SelectorOptions): boolean {
  if (Object.values(others).some((list) => list !== undefined)) return false
  return [namespaces, actors].every((list) => list?.flatMap(expandBraces).some(isAnything) ?? true)
}
