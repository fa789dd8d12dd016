import type { RouteOptions } from 'fastify'
import { AuditInvalidOptions } from '../errors.js'
import { schemaMarkProblem } from '../redact/schema-marks.js'
import { describeMistakes, mistakesOf } from './mistakes.js'
import { routeAuditSchema } from './schema.js'

/**
 * Checks what a route says of its own audit, when it is declared. `resolve` gives shared schemas by their ids.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` when its `config.audit`, or a mark in its schema, is nothing that is known.
 */
export function checkRoute({ url, config, schema }: RouteOptions, resolve: (id: string) => unknown): void {
  const problem = schemaMarkProblem(schema, lenient(resolve))
  if (problem !== undefined) throw new AuditInvalidOptions(`- the schema of route ${url}: ${problem}`)
  const audit: unknown = config?.audit
  if (audit === undefined || typeof audit === 'boolean') return
  const parsed = routeAuditSchema.safeParse(audit)
  if (parsed.success) return
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['config', 'audit', ...issue.path] }))
  const mistakes = mistakesOf(issues, { config }).map((mistake) => ({
    ...mistake,
    path: `${mistake.path} of route ${url}`,
  }))
  throw new AuditInvalidOptions(describeMistakes(mistakes))
}

/** A schema that cannot be looked up when its route is declared may be there later: the first body asks again. */
function lenient(resolve: (id: string) => unknown): (id: string) => unknown {
  return (id) => {
    try {
      return resolve(id)
    } catch {
      return undefined
    }
  }
}
