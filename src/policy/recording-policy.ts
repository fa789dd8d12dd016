import type { Outcome } from '../event/action.js'
import { type Level, NONE } from '../event/level.js'
import { compileFilters, EXCLUDES_COMPLETE, type FilterOptions, type Filters } from './filter.js'
import type { RouterFolding } from './path.js'
import { isExempt, levelOf, type RouteAudit } from './route-level.js'
import { compileRules, type RuleOptions, type Rules } from './rules.js'

/** What is recorded of one request. */
export interface Recording {
  /** `NONE`: no sink records any of it. */
  readonly level: Level
  /** Which stages which sinks do not record, whatever the status: two bits a sink, in their order. */
  readonly exclusions: number
  /** The route itself says that it is not recorded. */
  readonly exempt: boolean
}

/** Facts of a record of an action beside requests, on which filters and a sink's `only` decide. */
export interface ActionFacts {
  /** The `accessor_id` of the actor. */
  readonly actor: string
  readonly namespace: string
  readonly action: string
  /** Each as `type:id`. */
  readonly targets: readonly string[]
  /** Undefined: there is none, as in the `OperationReceived` of work. */
  readonly outcome: Outcome | undefined
}

/** The options that decide what is recorded. */
export interface PolicyOptions {
  readonly filters: readonly FilterOptions[]
  readonly sinks: readonly { readonly filters: readonly FilterOptions[] }[]
  readonly rules: readonly RuleOptions[]
  readonly level: Level
}

const NOTHING: Recording = { level: NONE, exclusions: 0, exempt: false }
const EXEMPT: Recording = { level: NONE, exclusions: 0, exempt: true }

/** Decides what is recorded of each request: by its route, the rules and the filters. */
export class RecordingPolicy {
  private readonly rules: Rules
  private readonly filters: Filters
  private readonly sinks: readonly Filters[]
  /** Every stage of every sink is excluded. */
  private readonly everything: number
  private readonly hasStatuses: boolean
  /** The answer before this one: most requests have the same. */
  private last: Recording = NOTHING

  /**
   * Compiles rules and filters for a server whose router folds URLs so.
   *
   * @throws {PatternError} when the braces of a pattern are not sound.
   */
  constructor({ filters, sinks, rules, level }: PolicyOptions, folding: RouterFolding) {
    this.rules = compileRules(rules, level, folding)
    this.filters = compileFilters(filters, folding)
    this.sinks = sinks.map((sink) => compileFilters(sink.filters, folding))
    this.everything = 4 ** sinks.length - 1
    this.hasStatuses = this.filters.hasStatuses || this.sinks.some(({ hasStatuses }) => hasStatuses)
  }

  /** Whether a rule looks at the namespace, which need not be known otherwise. */
  get needsNamespace(): boolean {
    return this.rules.needsNamespace
  }

  /** Decides once per request; `audit` is the route's `config.audit`. */
  decide(
    operation: string,
    url: string,
    route: string | undefined,
    namespace: string | undefined,
    audit: RouteAudit | undefined,
  ): Recording {
    const byRules = this.rules.decide(operation, url, route, namespace)
    const level = audit === undefined ? byRules : levelOf(audit, byRules)
    if (level === NONE) return isExempt(audit) ? EXEMPT : NOTHING
    const exclusions = this.exclusions(operation, url)
    if (exclusions === this.everything) return NOTHING
    if (this.last.level !== level || this.last.exclusions !== exclusions) {
      this.last = { level, exclusions, exempt: false }
    }
    return this.last
  }

  /** The exclusions of a recording, and those of a Complete with this status. */
  exclusionsAt(exclusions: number, operation: string, url: string, statusCode: number | undefined): number {
    if (!this.hasStatuses || statusCode === undefined) return exclusions
    const forAll = this.filters.excludesStatus(operation, url, statusCode)
    let mask = exclusions
    for (const [index, filters] of this.sinks.entries()) {
      if (forAll || filters.excludesStatus(operation, url, statusCode)) mask |= EXCLUDES_COMPLETE << (2 * index)
    }
    return mask
  }

  /**
   * The sinks that do not record an action with these facts: two bits a sink, in their order. `EXCLUDES_RECEIVED` is
   * for the `OperationReceived` of work, `EXCLUDES_COMPLETE` for its `OperationComplete`, and for an event, which has
   * no stage. Ask for each record: its facts may differ.
   */
  exclusionsOfAction(_facts: ActionFacts): number {
    return 0
  }

  /** Tells whether no enforced sink records what has these exclusions, where each of them has `only`. */
  isUnclaimed(_exclusions: number): boolean {
    return false
  }

  private exclusions(operation: string, url: string): number {
    const forAll = this.filters.isEmpty ? 0 : this.filters.excluded(operation, url)
    let mask = 0
    for (let index = 0; index < this.sinks.length; index++) {
      const filters = this.sinks[index]
      const own = filters === undefined || filters.isEmpty ? 0 : filters.excluded(operation, url)
      mask |= (forAll | own) << (2 * index)
    }
    return mask
  }
}
