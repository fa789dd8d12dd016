import type { Outcome } from '../event/action.js'
import type { Facts } from './facts.js'
import { expandBraces } from './glob.js'
import { PatternSet } from './pattern-set.js'

/** Patterns over the action, its targets and its outcome; an undefined list matches everything. */
export interface What {
  readonly actions: PatternSet | undefined
  readonly targets: PatternSet | undefined
  readonly outcomes: ReadonlySet<Outcome> | undefined
}

/** The lists of an option about the action, its targets and its outcome. */
export interface WhatOptions {
  readonly actions?: readonly string[] | undefined
  readonly targets?: readonly string[] | undefined
  readonly outcomes?: readonly Outcome[] | undefined
}

export function compileWhat({ actions, targets, outcomes }: WhatOptions): What {
  return {
    actions: some(actions),
    targets: some(targets),
    outcomes: outcomes === undefined ? undefined : new Set(outcomes),
  }
}

/** Not `patternsOf`: even "*" needs an action, or a target, and a request may have none. */
function some(patterns: readonly string[] | undefined): PatternSet | undefined {
  return patterns === undefined ? undefined : new PatternSet(patterns.flatMap(expandBraces))
}

export function matchesAction({ actions }: What, { action }: Facts): boolean {
  return actions === undefined || (action !== undefined && actions.matches(action))
}

export function matchesOutcome({ outcomes }: What, { outcome }: Facts): boolean {
  return outcomes === undefined || (outcome !== undefined && outcomes.has(outcome))
}
