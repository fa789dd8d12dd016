import type { Outcome } from '../event/action.js'

/** Facts about a request, which are asked for only if an option looks at them; undefined: not known. */
export interface Facts {
  /** The `accessor_id` of the actor; of a request, the one at its receipt. */
  readonly actor: string | undefined
  readonly namespace: string | undefined
  readonly action: string | undefined
  /** Each as `type:id`. */
  readonly targets: readonly string[]
  readonly outcome: Outcome | undefined
}

/** Facts about an action beside requests. */
export interface ActionFacts extends Facts {
  readonly actor: string
  readonly namespace: string
  readonly action: string
  /** Undefined: there is none, as in the `OperationReceived` of work. */
  readonly outcome: Outcome | undefined
}

/** The facts of a request, if no option looks at them. */
export const NO_FACTS: Facts = {
  actor: undefined,
  namespace: undefined,
  action: undefined,
  targets: [],
  outcome: undefined,
}
