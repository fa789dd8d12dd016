import { systemClock } from '../clock.js'
import type { ResolvedOptions } from '../options/parse.js'
import { parseStandaloneOptions } from '../options/standalone.js'
import type { StandaloneOptions } from '../options/standalone-options.js'
import { Explainer } from '../policy/explain.js'
import { NO_FOLDING } from '../policy/path.js'
import { AuditRuntime } from './runtime.js'
import { safeLogger } from './safe-log.js'
import type { StandaloneAudit } from './standalone-audit.js'
import { stderrLog } from './stderr-log.js'
import { warningsOf } from './warnings.js'

/** There are no routes without a server. */
const NO_ROUTES = { find: () => ({ route: undefined, constrained: undefined }) }

/**
 * Opens an audit trail for a program without a server: a queue worker, a scheduled job, a command. Resolves when all
 * sinks are open. Call `close()` before the program ends.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` with every mistake, and what to write instead.
 * @throws `FST_AUDIT_SINK_OPEN_FAILED`, `FST_AUDIT_SINK_LOCKED` when a sink cannot open.
 *
 * @example
 * ```ts
 * import { createAudit } from 'fastify-audit-log/standalone'
 *
 * const audit = await createAudit({ sinks: [{ name: 'audit', type: 'file', path: './data/audit/worker-{slot}.log' }] })
 * await audit.record({ action: 'invoice.refund', targets: [{ type: 'invoice', id: 42 }] })
 * await audit.close()
 * ```
 */
export async function createAudit(options: StandaloneOptions = {}): Promise<StandaloneAudit> {
  const parsed = parseStandaloneOptions(options)
  const log = safeLogger(parsed.log ?? stderrLog())
  const runtime = new AuditRuntime(parsed.options, NO_FOLDING, log, systemClock)
  for (const warning of warningsOf(parsed.options, null)) log.warn({}, `fastify-audit-log: ${warning}`)
  await runtime.start([])
  return standaloneAudit(runtime, parsed.options)
}

function standaloneAudit(runtime: AuditRuntime, options: ResolvedOptions): StandaloneAudit {
  let explainer: Explainer | undefined
  let closing: Promise<void> | undefined
  return {
    get healthy() {
      return runtime.dispatcher.healthy
    },
    stats() {
      const { healthy, open, actions, actionsNotRecorded, actionsWithheld, unclaimed, ...others } = runtime.stats({})
      const { actionErrors, vocabularyErrors, identityErrors, annotationsTooLate, sinks } = others
      const errors = { actionErrors, vocabularyErrors, identityErrors, annotationsTooLate }
      return { healthy, open, actions, actionsNotRecorded, actionsWithheld, unclaimed, ...errors, sinks }
    },
    record: (event) => runtime.actions.record(event),
    run: (work, execute) => runtime.actions.run(work, execute),
    explainAction(action) {
      explainer ??= new Explainer(options, NO_FOLDING, NO_ROUTES)
      return explainer.explainAction(action)
    },
    flush: () => runtime.flush(),
    reopen: () => runtime.reopen(),
    close() {
      closing ??= runtime.close()
      return closing
    },
  }
}
