import type { ActionExplanation, ExplainedAction, ExplainOptions, Explanation } from '../policy/explanation.js'
import type { ActionRecorder } from '../runtime/action-audit.js'
import type { AuditStats } from '../runtime/runtime.js'

/** Interface of `app.audit`. */
export interface AppAudit extends ActionRecorder {
  /** True if every enforced sink stored its last batch and no batch is overdue. Use it in a readiness probe. */
  readonly healthy: boolean
  /** Returns the counts since the boot. */
  stats(): AuditStats
  /** Resolves when the sinks have answered for everything offered to them. */
  flush(): Promise<void>
  /** Makes every sink open the file that is now at its path. Call it after a rotation by another program. */
  reopen(): Promise<void>
  /**
   * Explains what would be recorded of a request, and which filter, rule or route decides that. Takes a method and a URL
   * as a client sends them.
   */
  explain(method: string, url: string, options?: ExplainOptions): Explanation
  /** Explains what would be recorded of an action beside requests, and which filters and selectors decide that. */
  explainAction(action: ExplainedAction): ActionExplanation
}
