import { isLevel, type Level, type LevelOption, METADATA, NONE, toLevel } from '../event/level.js'

/** What a route's `config.audit` says: whether it is recorded, or how much. */
export type RouteAudit = boolean | { level: LevelOption }

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
