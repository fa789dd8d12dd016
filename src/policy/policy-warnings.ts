import { type FilterOptions, isActionFilter } from './filter-options.js'
import { filterWarnings } from './filter-warnings.js'
import { NO_FOLDING, type RouterFolding } from './path.js'
import { patternsOf } from './pattern-set.js'
import { titled } from './pattern-warnings.js'
import type { PolicyOptions, SinkPolicyOptions } from './recording-policy.js'
import { ruleWarnings } from './rules.js'
import { selectionWarnings } from './selection-warnings.js'
import type { WhoOptions } from './who.js'

/** The options that warnings look at; of the functions, only whether they are there. */
export interface WarnedOptions extends PolicyOptions {
  readonly sinks: readonly (SinkPolicyOptions & { readonly name: string })[]
  readonly identity?: unknown
  readonly namespace?: unknown
}

/**
 * Returns warnings at boot about options that decide what is recorded, and that are probably not meant. `folding` is null
 * without a server: filters of requests have no use there, and are not warned of.
 */
export function policyWarnings(options: WarnedOptions, folding: RouterFolding | null): string[] {
  const { filters, rules, sinks } = options
  const isEnforced = ({ deliveryGuarantee }: SinkPolicyOptions) => deliveryGuarantee === 'enforced'
  const ofFilters = (list: readonly FilterOptions[], enforced: boolean) => [
    ...filterWarnings(list, folding, { enforced }),
    ...list.flatMap((filter, index) =>
      folding === null || isActionFilter(filter)
        ? []
        : unknownWho(filter, options, titled('Filter', filter.name, index)),
    ),
  ]
  return [
    ...ofFilters(filters, sinks.some(isEnforced)),
    ...ruleWarnings(rules, folding ?? NO_FOLDING),
    ...rules.flatMap((rule, index) => unknownWho(rule, options, titled('Rule', rule.name, index))),
    ...selectionWarnings(sinks, folding ?? NO_FOLDING),
    ...sinks.flatMap((sink) => ofFilters(sink.filters, isEnforced(sink))),
  ]
}

/** Finds patterns over an actor or a namespace that no option gives. */
function unknownWho({ actors, namespaces }: WhoOptions, options: WarnedOptions, name: string): string[] {
  const warnings: string[] = []
  if (options.identity === undefined && patternsOf(actors)?.matches('anonymous') === false) {
    warnings.push(`${name}: \`actors\` match no request: without the option \`identity\` every actor is "anonymous"`)
  }
  if (options.namespace === undefined && patternsOf(namespaces)?.matches('default') === false) {
    warnings.push(`${name}: \`namespaces\` match no request: without the option \`namespace\` it is "default"`)
  }
  return warnings
}
