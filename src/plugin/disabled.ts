import { newEventId } from '../event/event-id.js'
import { NONE } from '../event/level.js'
import { Explainer } from '../policy/explain.js'
import { NO_FOLDING } from '../policy/path.js'
import type { ActionAudit, ActionRecorder } from '../runtime/action-audit.js'
import { noStats } from '../runtime/runtime.js'
import type { AppAudit } from './app-audit.js'

/** Records nothing; work runs. */
export const UNRECORDED: ActionRecorder = {
  record: async () => undefined,
  run: async (_work, execute) => await execute(unrecordedAudit()),
}

function unrecordedAudit(): ActionAudit {
  const ignore = () => false
  return { id: newEventId(), annotate: ignore, target: ignore, changes: ignore, outcome: ignore, ...UNRECORDED }
}

/** Creates `app.audit` for `enabled: false`: every method exists and does nothing. */
export function disabledAudit(): AppAudit {
  const explainer = new Explainer({ filters: [], sinks: [], rules: [], level: NONE }, NO_FOLDING, NO_ROUTES)
  return {
    healthy: true,
    stats: noStats,
    ...UNRECORDED,
    flush: async () => undefined,
    reopen: async () => undefined,
    explain: (method, url, asked) => explainer.explain(method, url, asked),
    explainAction: (action) => explainer.explainAction(action),
  }
}

const NO_ROUTES = { find: () => ({ route: undefined, constrained: undefined }) }
