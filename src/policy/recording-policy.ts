import { type Level, NONE } from '../event/level.js'
import { ActionFilters } from './action-filter.js'
import { type ActionFacts, type Facts, NO_FACTS } from './facts.js'
import { compileFilters, type Filters } from './filter.js'
import type { FilterOptions } from './filter-options.js'
import type { RouterFolding } from './path.js'
import { isExempt, levelOf, type RouteAudit } from './route-level.js'
import { compileRules, type RuleOptions, type Rules } from './rules.js'
import { Selection, type SelectorOptions } from './selection.js'
import { EXCLUDES_BOTH, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from './stages.js'

export type { ActionFacts } from './facts.js'

/** What is recorded of one request. */
export interface Recording {
  /** `NONE`: no sink records any of it. */
  readonly level: Level
  /** Which stages which sinks do not record, whatever the status: two bits a sink, in their order. */
  readonly exclusions: number
  /** The route itself says that it is not recorded. */
  readonly exempt: boolean
  /** No enforced sink records it, although every enforced sink has `only`. */
  readonly unclaimed: boolean
  /** The facts on which it was decided. */
  readonly facts: Facts
}

/** The options of one sink that decide what is recorded. */
export interface SinkPolicyOptions {
  readonly filters: readonly FilterOptions[]
  readonly only?: readonly SelectorOptions[] | undefined
  readonly deliveryGuarantee?: 'enforced' | 'best-effort' | undefined
}

/** The options that decide what is recorded. */
export interface PolicyOptions {
  readonly filters: readonly FilterOptions[]
  readonly sinks: readonly SinkPolicyOptions[]
  readonly rules: readonly RuleOptions[]
  readonly level: Level
}

/** What one sink records. */
interface SinkPolicy {
  readonly filters: Filters
  readonly actions: ActionFilters
  readonly only: Selection | null
}

const NOTHING: Recording = { level: NONE, exclusions: 0, exempt: false, unclaimed: false, facts: NO_FACTS }
const EXEMPT: Recording = { ...NOTHING, exempt: true }
const UNCLAIMED: Recording = { ...NOTHING, unclaimed: true }

/** Decides what is recorded of each request, and of each action: by its route, the rules, the filters and `only`. */
export class RecordingPolicy {
  /** True if an option looks at this fact of a request, which need not be known otherwise. */
  readonly needsNamespace: boolean
  readonly needsActor: boolean
  readonly needsAction: boolean
  private readonly rules: Rules
  private readonly filters: Filters
  private readonly actions: ActionFilters
  private readonly sinks: readonly SinkPolicy[]
  /** Every stage of every sink is excluded. */
  private readonly everything: number
  /** Every stage of every enforced sink; 0 if one of them has no `only`. */
  private readonly claimants: number
  private readonly hasStatuses: boolean
  /** An `only` decides about a Complete by what is known at the end. */
  private readonly isLate: boolean
  /** The answer before this one: most requests have the same. */
  private last: Recording = NOTHING

  /**
   * Compiles rules, filters and `only` for a server whose router folds URLs so.
   *
   * @throws {PatternError} when the braces of a pattern are not sound.
   */
  constructor({ filters, sinks, rules, level }: PolicyOptions, folding: RouterFolding) {
    this.rules = compileRules(rules, level, folding)
    this.filters = compileFilters(filters, folding)
    this.actions = new ActionFilters(filters)
    this.sinks = sinks.map((sink) => sinkPolicy(sink, folding))
    this.everything = 4 ** sinks.length - 1
    this.claimants = claimantsOf(sinks)
    const selections = this.sinks.flatMap(({ only }) => only ?? [])
    const parts = [this.rules, this.filters, ...this.sinks.map((sink) => sink.filters), ...selections]
    this.needsNamespace = parts.some(({ needsNamespace }) => needsNamespace)
    this.needsActor = parts.some(({ needsActor }) => needsActor)
    this.needsAction = selections.some(({ needsAction }) => needsAction)
    this.isLate = selections.some(({ isLate }) => isLate)
    this.hasStatuses = [this.filters, ...this.sinks.map((sink) => sink.filters)].some((each) => each.hasStatuses)
  }

  /** True if the facts of a request must be known, and are not `NO_FACTS`. */
  get needsFacts(): boolean {
    return this.needsNamespace || this.needsActor || this.needsAction
  }

  /**
   * Decides once per request; `audit` is the route's `config.audit`. `isPending`: an action is not known yet that `only`
   * may select, so the request counts as recorded until it is decided again.
   */
  decide(
    operation: string,
    url: string,
    route: string | undefined,
    audit: RouteAudit | undefined,
    facts: Facts = NO_FACTS,
    isPending = false,
  ): Recording {
    const byRules = this.rules.decide(operation, url, route, facts)
    const level = audit === undefined ? byRules : levelOf(audit, byRules)
    if (level === NONE) return isExempt(audit) ? EXEMPT : NOTHING
    const forAll = this.filters.isEmpty ? 0 : this.filters.excluded(operation, url, facts)
    if (forAll === EXCLUDES_BOTH) return NOTHING
    const exclusions = this.exclusions(forAll, operation, url, facts)
    const unclaimed = this.isUnclaimed(exclusions)
    if (exclusions === this.everything && !isPending) return unclaimed ? UNCLAIMED : NOTHING
    const { last } = this
    if (last.level === level && last.exclusions === exclusions && last.facts === facts) return last
    this.last = { level, exclusions, exempt: false, unclaimed, facts }
    return this.last
  }

  /**
   * Decides which sinks select the Complete of a request, when all is known of it. A sink that was offered Received is
   * offered Complete: no exchange stays open in its trail. Filters by status are not decided here.
   */
  settle(
    recording: Recording,
    operation: string,
    url: string,
    statusCode: number | undefined,
    facts: Facts = recording.facts,
  ): Recording {
    if (!this.isLate) return recording
    let exclusions = recording.exclusions
    for (const [index, { only }] of this.sinks.entries()) {
      const isOpen = ((exclusions >> (2 * index)) & EXCLUDES_BOTH) === EXCLUDES_RECEIVED
      if (only?.isLate !== true || !isOpen || only.selectsComplete(operation, url, statusCode, facts)) continue
      exclusions |= EXCLUDES_COMPLETE << (2 * index)
    }
    return { ...recording, exclusions, unclaimed: this.isUnclaimed(exclusions) }
  }

  /** The exclusions of a recording, and those of a Complete with this status by filters. */
  exclusionsAt(
    { exclusions, facts }: Recording,
    operation: string,
    url: string,
    statusCode: number | undefined,
  ): number {
    if (!this.hasStatuses || statusCode === undefined) return exclusions
    const forAll = this.filters.excludesStatus(operation, url, statusCode, facts)
    let mask = exclusions
    for (const [index, { filters }] of this.sinks.entries()) {
      if (forAll || filters.excludesStatus(operation, url, statusCode, facts)) mask |= EXCLUDES_COMPLETE << (2 * index)
    }
    return mask
  }

  /**
   * The sinks that do not record an action beside requests: two bits a sink, in their order. `EXCLUDES_RECEIVED` is for
   * the `OperationReceived` of work, `EXCLUDES_COMPLETE` for its `OperationComplete`, and for an event, which has no
   * stage. Ask for each record: its facts may differ.
   */
  exclusionsOfAction(facts: ActionFacts): number {
    const forAll = this.actions.excluded(facts)
    let mask = 0
    for (const [index, { actions, only }] of this.sinks.entries()) {
      const own = forAll | actions.excluded(facts) | (only === null ? 0 : only.excludedOfAction(facts))
      mask |= own << (2 * index)
    }
    return mask
  }

  /** Tells whether no enforced sink records what has these exclusions, although every enforced sink has `only`. */
  isUnclaimed(exclusions: number): boolean {
    return this.claimants !== 0 && (exclusions & this.claimants) === this.claimants
  }

  private exclusions(forAll: number, operation: string, url: string, facts: Facts): number {
    let mask = 0
    for (let index = 0; index < this.sinks.length; index++) {
      mask |= (forAll | this.excludedBy(this.sinks[index], operation, url, facts)) << (2 * index)
    }
    return mask
  }

  private excludedBy(sink: SinkPolicy | undefined, operation: string, url: string, facts: Facts): number {
    if (sink === undefined) return 0
    const excluded = sink.filters.isEmpty ? 0 : sink.filters.excluded(operation, url, facts)
    return sink.only === null ? excluded : excluded | sink.only.excluded(operation, url, facts)
  }
}

function sinkPolicy({ filters, only }: SinkPolicyOptions, folding: RouterFolding): SinkPolicy {
  return {
    filters: compileFilters(filters, folding),
    actions: new ActionFilters(filters),
    only: only === undefined ? null : new Selection(only, folding),
  }
}

function claimantsOf(sinks: readonly SinkPolicyOptions[]): number {
  let mask = 0
  for (const [index, { only, deliveryGuarantee }] of sinks.entries()) {
    if (deliveryGuarantee !== 'enforced') continue
    if (only === undefined) return 0
    mask |= EXCLUDES_BOTH << (2 * index)
  }
  return mask
}
