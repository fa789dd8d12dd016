import type { Outcome, Target } from '../event/action.js'
import type { Stage } from '../event/event.js'
import type { LevelName } from '../event/level.js'

/** A filter that matches a request or an action. */
export interface FilterExplanation {
  /** Its name, or its place in the options, such as `'filters[2]'` or `'sinks[0].filters[1]'`. */
  name: string
  excludes: Stage[]
  /** The statuses of the Complete that it excludes; absent: whatever the status. */
  statuses?: readonly string[]
  /** The outcomes of the records of an action that it excludes; absent: whatever the outcome. */
  outcomes?: readonly Outcome[]
}

/** The stages of a request, or of an action, that one sink records. */
export interface SinkExplanation {
  received: boolean
  /** `'by status'`, `'by outcome'`: only with some of them, because of `filters` or of the sink's `only`. */
  complete: boolean | 'by status' | 'by outcome'
  /** The filters that match, the plugin's first. */
  filters: FilterExplanation[]
  /** The selectors that match, by their place, such as `'sinks[0].only[1]'`; absent: the sink has no `only`. */
  only?: string[]
}

/** The answer of `explain`: what is recorded of a request, and why. */
export interface Explanation {
  /**
   * The pattern of the route that takes the request; `undefined`: none that was declared after the plugin. Of routes
   * with constraints (host, version and such) it is the one without.
   */
  route: string | undefined
  level: LevelName
  /** The place that decided the level: the route's `config.audit`, a rule, or the option `level`. */
  by: 'route' | 'rule' | 'level'
  /** The rule that decided, by its place in `rules`. */
  rule?: { index: number; name?: string }
  /** By the sink's name. */
  sinks: Record<string, SinkExplanation>
  /** All of it in one sentence. */
  summary: string
}

/** The answer of `explainAction`: what is recorded of an action beside requests. */
export interface ActionExplanation {
  /** By the sink's name. `received` is of work; `complete` is of work, and of an event, which has no stage. */
  sinks: Record<string, SinkExplanation>
  /** All of it in one sentence. */
  summary: string
}

/** Facts that `explain` cannot read from the method and the URL. */
export interface ExplainOptions {
  /**
   * The namespace that the `namespace` option would return.
   * @default 'default'
   */
  namespace?: string | undefined
  /**
   * The `accessorId` of the actor when the request is received.
   * @default 'anonymous'
   */
  actor?: string | undefined
  /** The status of the reply. Absent: whatever the status. */
  status?: number | undefined
  /**
   * The action that the handler says, which is known at the end; absent: the one of the route's `config.audit`, if it has
   * one, which is known at receipt too.
   */
  action?: string | undefined
  /** The targets: at receipt if the route's `config.audit` has a `targets` function, otherwise at the end. */
  targets?: Target | readonly Target[] | undefined
  /** The outcome, if the handler says it. */
  outcome?: Outcome | undefined
}

/** Facts about an action beside requests, for `explainAction`. */
export interface ExplainedAction {
  action: string
  targets?: Target | readonly Target[] | undefined
  /** Absent: whatever the outcome. */
  outcome?: Outcome | undefined
  /**
   * The `accessorId` of the actor.
   * @default 'anonymous'
   */
  actor?: string | undefined
  /** @default 'default' */
  namespace?: string | undefined
}
