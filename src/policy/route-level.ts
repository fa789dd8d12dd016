import { isLevel, type Level, type LevelOption, METADATA, NONE, toLevel } from '../event/level.js'

/** The value of a route's `config.audit`: whether its requests are recorded, or at which level. */
export type RouteAudit = boolean | { level: LevelOption }

/**
 * Returns the level of a route's requests: of `config.audit`, or else of the rules. A route that was declared before
 * the plugin was not checked and may hold anything: an unknown value is ignored.
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

/** Tells whether a route's `config.audit` says that it is not recorded. */
export function isExempt(audit: RouteAudit | null | undefined): boolean {
  return audit !== undefined && levelOf(audit, METADATA) === NONE
}
