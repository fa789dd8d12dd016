import type { AppAudit } from './app-audit.js'
import { systemClock } from './clock.js'
import { Explainer } from './explain.js'
import { NONE } from './level.js'
import type { ResolvedOptions } from './options.js'
import type { RouterFolding } from './path.js'
import { Trail } from './trail.js'

/** With `enabled: false` everything that an application may call is there, and does nothing. */
export function disabledAudit(options: ResolvedOptions): AppAudit {
  const stats = new Trail({ ...options, sinks: [] }, NO_FOLDING, SILENT, systemClock).stats({})
  const explainer = new Explainer({ filters: [], sinks: [], rules: [], level: NONE }, NO_FOLDING, NO_ROUTES)
  return {
    healthy: true,
    stats: () => stats,
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

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
