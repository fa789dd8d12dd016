import type { RouteOptions } from 'fastify'
import { AuditInvalidOptions } from '../errors.js'
import { isLevel, type Level, METADATA, NONE, toLevel } from '../event/level.js'
import { describeMistakes, mistakesOf } from '../options/mistakes.js'
import { routeAuditSchema } from '../options/schema.js'
import type { RouteAudit } from '../options/types.js'
import { schemaMarkProblem } from '../redact/schema-marks.js'

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

/**
 * The level of a route's requests: what `config.audit` says, or else what the rules do. A route that was declared
 * before the plugin was not checked, and may say anything: what is not known says nothing.
 */
export function levelOf(audit: RouteAudit | null, byRules: Level): Level {
  if (audit === false) return NONE
  if (audit === true) return byRules === NONE ? METADATA : byRules
  return typeof audit === 'object' && audit !== null ? (levelIn(audit) ?? byRules) : byRules
}

/** The level that an object names, whatever it is. */
function levelIn(audit: Exclude<RouteAudit, boolean>): Level | undefined {
  try {
    const level: unknown = toLevel(audit.level)
    return isLevel(level) ? level : undefined
  } catch {
    return undefined
  }
}

/** Whether a route says itself that it is not recorded. */
export function isExempt(audit: RouteAudit | null | undefined): boolean {
  return audit !== undefined && levelOf(audit, METADATA) === NONE
}
