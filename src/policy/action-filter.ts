import type { ActionFacts } from './facts.js'
import { type ActionFilterOptions, type FilterOptions, isActionFilter } from './filter-options.js'
import { EXCLUDES_COMPLETE, stageMask } from './stages.js'
import { compileWhat, matchesAction, matchesOutcome, type What } from './what.js'
import { compileWho, matchesWho, type Who } from './who.js'

interface ActionFilter extends Who, What {
  readonly mask: number
}

/** All filters of a plugin or sink that are for actions beside requests, as one. */
export class ActionFilters {
  private readonly filters: readonly ActionFilter[]

  /** @throws {PatternError} when the braces of a pattern are not sound. */
  constructor(filters: readonly FilterOptions[]) {
    this.filters = filters.filter(isActionFilter).map(compileFilter)
  }

  /** Returns the stages of an action that are not recorded: the bits of `Filters.excluded`. */
  excluded(facts: ActionFacts): number {
    let excluded = 0
    for (const filter of this.filters) {
      if ((excluded & filter.mask) !== filter.mask && matches(filter, facts)) excluded |= filter.mask
    }
    return excluded
  }
}

function compileFilter(filter: ActionFilterOptions): ActionFilter {
  const what = compileWhat(filter)
  const stages = stageMask(filter.stages ?? ['*'])
  // Received has no outcome.
  const mask = what.outcomes === undefined ? stages : stages & EXCLUDES_COMPLETE
  return { ...compileWho(filter), ...what, mask }
}

function matches(filter: ActionFilter, facts: ActionFacts): boolean {
  return (
    matchesWho(filter, facts) &&
    matchesAction(filter, facts) &&
    matchesOutcome(filter, facts) &&
    matchesEveryTarget(filter, facts)
  )
}

/** Requires every target to match, so that none takes another out of the trail. An unknown one never matches. */
function matchesEveryTarget({ targets: patterns }: What, { targets }: ActionFacts): boolean {
  return (
    patterns === undefined ||
    (targets.length > 0 && targets.every((target) => target !== '' && patterns.matches(target)))
  )
}
