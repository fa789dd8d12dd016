import type { LifecycleDetails, TrailEvent } from '../event/event.js'
import type { SinkLogger } from '../logger.js'

/** An entry to store: one line, and the event that it was made of. */
export interface AuditEntry {
  /** The line in the sink's format, without its ending `\n`. */
  readonly line: string
  /** The event as the format `json` has it, made when it is first asked for. */
  readonly event: TrailEvent
}

/** Returned by `write` if everything is stored already: the lane goes on at once, without waiting for a promise. */
export const STORED: Promise<void> = Promise.resolve()

/** The parts of the plugin that a sink may use; passed to `open`. */
export interface SinkContext {
  /** The sink's name in the options. */
  readonly name: string
  readonly log: SinkLogger
  /** Puts an entry about the sink's own life into its trail, before what is written next. */
  record<Type extends 'rotation' | 'retention' | 'torn'>(type: Type, details: LifecycleDetails[Type]): void
  /** Says that the last `entries` that were stored may be gone, such as with a deleted file: they are in doubt now. */
  doubt(entries: number): void
}

/** Which line `tail` is asked for. */
export interface TailOptions {
  /**
   * True: the last line that has a seal (`isSealedLine`), whatever stands after it; `undefined` when none has. A sink
   * that does not look at this gives its last line, which says that it does not know.
   */
  readonly sealed: boolean
}

/**
 * Where lines are stored. Calls never overlap, so a sink needs no lock and no queue of its own: while one
 * batch is being stored the next one gathers.
 */
export interface AuditSink {
  /** Called once, before the server is ready. A rejection stops the boot, unless it is an `AuditSinkUnavailable`. */
  open?(context: SinkContext): Promise<void>
  /**
   * Stores a batch of 1 to 1,000 entries. Resolves when ALL of it is stored; rejects with a `BatchError` that
   * names those that are not, or with any other error when none is. The array and its entries are the
   * sink's to keep. A write is never repeated by the plugin.
   */
  write(batch: readonly AuditEntry[]): Promise<void>
  /**
   * The line that is stored last, without its ending `\n`; `undefined` when there is none. Asked of a sealed sink after
   * `open`, and when nobody knows what became of a batch, so that the next line follows what is really there. A sink
   * without it has a new chain at each start. If that line has no seal, it is asked again with `{ sealed: true }`.
   */
  tail?(options?: TailOptions): Promise<string | undefined>
  /** Called about every second between writes: rotation, retention, checks, a probe after a failure. */
  idle?(): Promise<void>
  /** Called after an outside rotation, to open what is at the path now. */
  reopen?(): Promise<void>
  /** Called once, after the last write. */
  close?(): Promise<void>
}
