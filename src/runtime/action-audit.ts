import type { Outcome, Target } from '../event/action.js'
import type { ChangesOptions } from '../event/content/changes.js'
import type { ActionInput, WorkInput } from './action-input.js'

/** Records what is done beside requests. */
export interface ActionRecorder {
  /**
   * Records an event that has happened, as one entry. Resolves when every enforced sink has stored it; best-effort sinks
   * are not waited for. A rejection that nobody awaits is counted and logged, and does not end the process.
   *
   * @throws `FST_AUDIT_NOT_RECORDED` when an enforced sink has not stored it, or the trail is not open.
   * @throws `FST_AUDIT_INVALID_ACTION` when it has no `action`.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * await app.ready()
   * await app.audit.record({ action: 'key.rotate', actor: { accessorId: 'cron' }, targets: { type: 'key', id: 'k1' } })
   * ```
   */
  record(event: ActionInput): Promise<void>
  /**
   * Runs work between two records: `OperationReceived` before the function, `OperationComplete` with its outcome, error
   * and duration after it. Returns what the function returns; its own error wins over the errors below.
   *
   * @throws `FST_AUDIT_NOT_RECORDED` when an enforced sink has not stored the first record: the function does not run.
   * @throws `FST_AUDIT_RESPONSE_WITHHELD` when an enforced sink has not stored the second one: the error's `result` is
   * what the function returned.
   * @throws `FST_AUDIT_INVALID_ACTION` when it has no `action`, or there is no function.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * await app.ready()
   * const rows = await app.audit.run({ action: 'report.export', actor: { accessorId: 'cron' } }, async (work) => {
   *   work.annotate({ format: 'csv' })
   *   return 42
   * })
   * ```
   */
  run<Result>(work: WorkInput, execute: (audit: ActionAudit) => Result | Promise<Result>): Promise<Result>
}

/**
 * What a handler, or the function of `run`, may add to the records of what it does. Its own `record` and `run` have the
 * same actor, namespace and trace, and its id as `parent`.
 */
export interface ActionAudit extends ActionRecorder {
  /** Id that all records of it carry; created by the server. */
  readonly id: string
  /**
   * Adds to `OperationComplete`, the values of secret keys redacted: by default at most 16 keys and 4 KiB in all
   * (`capture.maxAnnotations`, `capture.maxAnnotationBytes`). What is too long is cut, and the record names it.
   *
   * False if something was cut or left out, if it is too late, or if the request is not audited.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * app.post('/orders', async (request) => {
   *   request.audit.annotate({ order: '42' })
   *   return { ok: true }
   * })
   * ```
   */
  annotate(values: Readonly<Record<string, unknown>>): boolean
  /** Adds a thing to which it is done: at most 16. False as for `annotate`. */
  target(target: Target): boolean
  /**
   * Adds what it changed: the differences between a thing before and after. Nothing of either is called, and nothing is
   * kept. `{ id: 'sku' }` names the key that tells the items of a list apart. False as for `annotate`.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * app.patch('/invoices/7', async (request) => {
   *   request.audit.changes({ state: 'open' }, { state: 'paid' })
   *   return { ok: true }
   * })
   * ```
   */
  changes(before: unknown, after: unknown, options?: ChangesOptions): boolean
  /** Sets how it ended, instead of what the status or the error says. False as for `annotate`. */
  outcome(outcome: Outcome, reason?: string): boolean
}
