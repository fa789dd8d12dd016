import { NONE } from '../event/level.js'
import { Explainer } from '../policy/explain.js'
import type { RouterFolding } from '../policy/path.js'
import { noStats } from '../runtime/runtime.js'
import type { AppAudit } from './app-audit.js'

/** Creates `app.audit` for `enabled: false`: every method exists and does nothing. */
export function disabledAudit(): AppAudit {
  const explainer = new Explainer({ filters: [], sinks: [], rules: [], level: NONE }, NO_FOLDING, NO_ROUTES)
  return {
    healthy: true,
    stats: noStats,
    flush: async () => undefined,
    reopen: async () => undefined,
    explain: (method, url, asked) => explainer.explain(method, url, asked),
  }
}

const NO_FOLDING: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

const NO_ROUTES = { find: () => ({ route: undefined, constrained: undefined }) }
