import type { ExplainOptions, Explanation } from '../policy/explain.js'
import type { AuditStats } from '../runtime/runtime.js'

/** What a server knows of its audit trail: `app.audit`. */
export interface AppAudit {
  /** Whether every enforced sink stored its last batch, and none is overdue: what a readiness probe should ask. */
  readonly healthy: boolean
  /** What was counted since the boot. */
  stats(): AuditStats
  /** Resolves when everything that was offered to the sinks has been answered for. */
  flush(): Promise<void>
  /** Has every sink open what is at its path now, after an outside rotation. */
  reopen(): Promise<void>
  /**
   * Says what would be recorded of a request, and by which filter, rule or route, for a method and a URL as a client
   * sends them.
   */
  explain(method: string, url: string, options?: ExplainOptions): Explanation
}
