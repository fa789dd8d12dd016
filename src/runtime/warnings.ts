import { optionWarnings, type ResolvedOptions } from '../options/parse.js'
import type { RouterFolding } from '../policy/path.js'
import { policyWarnings } from '../policy/policy-warnings.js'

/** Returns warnings about options that work but are probably not meant. */
export function warningsOf(options: ResolvedOptions, folding: RouterFolding | null): string[] {
  return [...optionWarnings(options), ...policyWarnings(options, folding)]
}
