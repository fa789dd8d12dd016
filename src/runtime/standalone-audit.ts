import type { SinkStats } from '../delivery/delivery.js'
import type { ActionExplanation, ExplainedAction } from '../policy/explanation.js'
import type { ActionRecorder } from './action-audit.js'

/** Counts of a standalone audit since it was created; those that a server has too have its names. */
export interface StandaloneStats {
  healthy: boolean
  /** Work whose end is not recorded yet. */
  open: number
  /** Events and work. */
  actions: number
  /** Events and work that were rejected because they could not be recorded; the work did not begin. */
  actionsNotRecorded: number
  /** Work whose result was withheld because its end could not be recorded. */
  actionsWithheld: number
  /** Events and work that no enforced sink records, although every enforced sink has `only`. */
  unclaimed: number
  /** Values of the application that could not be recorded, or not as they were given. */
  actionErrors: number
  /** Actions, targets and annotations that were recorded and are not as the option `actions` says. */
  vocabularyErrors: number
  /** Actors that could not be recorded: the anonymous one is recorded instead. */
  identityErrors: number
  /** Additions to work whose end was recorded by then. */
  annotationsTooLate: number
  /** Counts of each sink, by its name. */
  sinks: Record<string, SinkStats>
}

/** The audit trail of a program without a server. */
export interface StandaloneAudit extends ActionRecorder {
  /** True if every enforced sink stored its last batch and no batch is overdue. */
  readonly healthy: boolean
  /** Returns the counts since it was created. */
  stats(): StandaloneStats
  /** Resolves when the sinks have answered for everything offered to them. */
  flush(): Promise<void>
  /** Makes every sink open the file that is now at its path. Call it after a rotation by another program. */
  reopen(): Promise<void>
  /** Explains what would be recorded of an action, and which filters and selectors decide that. */
  explainAction(action: ExplainedAction): ActionExplanation
  /**
   * Ends the trail: waits at most `closeTimeout` for open work and for the sinks, and releases them. From then on
   * `record` and `run` reject. May be called again.
   */
  close(): Promise<void>
}
