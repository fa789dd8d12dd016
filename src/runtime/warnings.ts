import { optionWarnings, type ResolvedOptions } from '../options/parse.js'
import { filterWarnings } from '../policy/filter-warnings.js'
import type { RouterFolding } from '../policy/path.js'
import { ruleWarnings } from '../policy/rules.js'
import { selectionWarnings } from '../policy/selection-warnings.js'

/** Returns warnings about options that work but are probably not meant. */
export function warningsOf(options: ResolvedOptions, folding: RouterFolding): string[] {
  const enforced = options.sinks.some((sink) => sink.deliveryGuarantee === 'enforced')
  return [
    ...optionWarnings(options),
    ...filterWarnings(options.filters, folding, { enforced }),
    ...ruleWarnings(options.rules, folding),
    ...selectionWarnings(options.sinks, folding),
    ...options.sinks.flatMap((sink) =>
      filterWarnings(sink.filters, folding, { enforced: sink.deliveryGuarantee === 'enforced' }),
    ),
  ]
}
