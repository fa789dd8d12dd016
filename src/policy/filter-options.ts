import type { Outcome } from '../event/action.js'
import type { Stage } from '../event/event.js'

interface CommonFilterOptions {
  /** The filter's name in warnings. */
  name?: string | undefined
  /** Globs over the actor's `accessorId`, such as `'service:*'`; of a request, over the actor at its receipt. */
  actors?: readonly string[] | undefined
  /** Globs over the namespace, such as `'dev-*'`. */
  namespaces?: readonly string[] | undefined
}

/** Events of requests that are not recorded: those of which every list has a match. */
export interface HttpFilterOptions extends CommonFilterOptions {
  /**
   * The kind of event that is meant: of requests.
   * @default 'HTTPEvent'
   */
  type?: 'HTTPEvent' | undefined
  /** Globs over the URL's path, such as `'/health'` or `'/v{1..3}/jobs/*'`. */
  endpoints: readonly string[]
  stages: readonly (Stage | '*')[]
  /** HTTP methods in upper case, or globs over them, such as `'{GET,HEAD}'`. */
  operations: readonly string[]
  /**
   * Statuses, such as `'404'`, or classes of them, such as `'2xx'`: only an `OperationComplete` that has one of them is
   * meant, and no `OperationReceived`. Absent: whatever the status.
   */
  statuses?: readonly string[] | undefined
}

/**
 * Actions beside requests that are not recorded: those of which every list has a match.
 *
 * @example
 * ```ts
 * import type { ActionFilterOptions } from 'fastify-audit-log'
 *
 * const syncs: ActionFilterOptions = { type: 'ActionEvent', actions: ['cache.*'], outcomes: ['success'] }
 * ```
 */
export interface ActionFilterOptions extends CommonFilterOptions {
  /** The kind of event that is meant: of actions beside requests, as `record` and `run` make them. */
  type: 'ActionEvent'
  /** Globs over the action, such as `'invoice.*'`. */
  actions: readonly string[]
  /** Globs over `type:id`, such as `'invoice:*'`. Every target of the action must match one, and there must be one. */
  targets?: readonly string[] | undefined
  /** Outcomes: only a record that has one of them is meant, so no `OperationReceived`. Absent: whatever the outcome. */
  outcomes?: readonly Outcome[] | undefined
  /** Stages of work. A record without a stage counts as `OperationComplete`. Absent: all of them. */
  stages?: readonly (Stage | '*')[] | undefined
}

/**
 * Events that are not recorded: of requests, or with `type: 'ActionEvent'` of actions beside requests.
 *
 * @example
 * ```ts
 * import type { FilterOptions } from 'fastify-audit-log'
 *
 * const reads: FilterOptions = { endpoints: ['*'], stages: ['OperationReceived'], operations: ['{GET,HEAD}'] }
 * ```
 */
export type FilterOptions = HttpFilterOptions | ActionFilterOptions

/** Tells whether a filter is for actions beside requests, and not for requests. */
export function isActionFilter(filter: FilterOptions): filter is ActionFilterOptions {
  return filter.type === 'ActionEvent'
}
