import type { FastifyRequest } from 'fastify'
import type { Target } from '../event/action.js'
import { isLevel, type Level, type LevelOption, METADATA, NONE, toLevel } from '../event/level.js'
import type { ActionName } from '../event/vocabulary/define-actions.js'

/** A request as a route's `targets` function reads it: parameters are texts. */
export type TargetsRequest = FastifyRequest<{
  Params: Readonly<Record<string, string>>
  Querystring: Readonly<Record<string, unknown>>
}>

/** A target as a route's `targets` function may give it: one without an id is not recorded. */
export type RouteTarget = Omit<Target, 'id'> & { id: Target['id'] | undefined }

/** How a route's requests are recorded. */
export interface RouteAuditOptions {
  /** The level, instead of what rules say. */
  level?: LevelOption | undefined
  /** What a request of this route does, such as `'invoice.refund'`. */
  action?: ActionName | undefined
  /**
   * Returns the things to which it is done. It is called when the request is received, and again when it is complete if
   * it gave none: its body is parsed by then. Must not return a promise. If it throws, no target is recorded.
   */
  targets?: ((request: TargetsRequest) => RouteTarget | readonly RouteTarget[] | undefined) | undefined
}

/**
 * The value of a route's `config.audit`: whether its requests are recorded, at which level, and which action they are.
 *
 * @example
 * ```ts
 * import type { RouteAudit } from 'fastify-audit-log'
 *
 * const refund: RouteAudit = {
 *   action: 'invoice.refund',
 *   targets: (request) => [{ type: 'invoice', id: request.params.id }],
 * }
 * ```
 */
export type RouteAudit = boolean | RouteAuditOptions

/** The action of a route's requests, as its `config.audit` says; it may hold anything. */
export interface DeclaredAction {
  readonly action?: unknown
  readonly targets?: unknown
}

/** Returns the action that a route declares, if it does. */
export function declaredAction(audit: RouteAudit | null | undefined): DeclaredAction | undefined {
  if (typeof audit !== 'object' || audit === null) return undefined
  try {
    const { action, targets } = audit
    return action === undefined && targets === undefined ? undefined : { action, targets }
  } catch {
    // A route that was declared before the plugin was not checked.
    return undefined
  }
}

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
    const level: unknown = audit.level === undefined ? undefined : toLevel(audit.level)
    return isLevel(level) ? level : undefined
  } catch {
    return undefined
  }
}

/** Tells whether a route's `config.audit` says that it is not recorded. */
export function isExempt(audit: RouteAudit | null | undefined): boolean {
  return audit !== undefined && levelOf(audit, METADATA) === NONE
}
