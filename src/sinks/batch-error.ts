import type { AuditEntry } from './sink.js'

/** Which entries of a batch are not stored. */
export interface BatchErrorDetails {
  /** The entries that are certainly not stored. */
  failed?: readonly AuditEntry[]
  /** The entries that may be stored or not. */
  inDoubt?: readonly AuditEntry[]
  /** The storage's own error. */
  cause?: unknown
}

/**
 * The error that a sink's `write` rejects with if a part of a batch is not stored. Entries that it does not name are
 * stored.
 *
 * @example
 * ```ts
 * import { BatchError, type AuditSink } from 'fastify-audit-log'
 *
 * const sink: AuditSink = {
 *   async write(batch) {
 *     const failed = batch.filter((entry) => entry.line.length > 10_000)
 *     if (failed.length > 0) throw new BatchError({ failed })
 *   },
 * }
 * ```
 */
export class BatchError extends Error {
  readonly code = 'FST_AUDIT_BATCH'
  readonly failed: readonly AuditEntry[]
  readonly inDoubt: readonly AuditEntry[]

  constructor({ failed = [], inDoubt = [], cause }: BatchErrorDetails) {
    super(`${failed.length} entries of the batch are not stored, ${inDoubt.length} are in doubt`, { cause })
    this.name = 'BatchError'
    this.failed = failed
    this.inDoubt = inDoubt
  }
}
