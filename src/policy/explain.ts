import type { Outcome, Target } from '../event/action.js'
import type { Stage } from '../event/event.js'
import { LEVEL_NAMES, type Level, NONE } from '../event/level.js'
import { outcomeOfStatus } from '../event/outcome.js'
import { ActionFilters } from './action-filter.js'
import { summarize, summarizeAction } from './explain-summary.js'
import type {
  ActionExplanation,
  ExplainedAction,
  ExplainOptions,
  Explanation,
  FilterExplanation,
  SinkExplanation,
} from './explanation.js'
import type { ActionFacts, Facts } from './facts.js'
import { compileFilters, type Filters } from './filter.js'
import { type FilterOptions, isActionFilter } from './filter-options.js'
import type { RouterFolding } from './path.js'
import { type PolicyOptions, RecordingPolicy, type SinkPolicyOptions } from './recording-policy.js'
import { declaredAction, levelOf, type RouteAudit } from './route-level.js'
import type { RouteTable } from './route-table.js'
import { compileRules, type Decision, type Rules } from './rules.js'
import { Selection } from './selection.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from './stages.js'
import { firstStatus } from './statuses.js'

/** The options that decide what is recorded, with the names of the sinks. */
export interface ExplainedOptions extends PolicyOptions {
  readonly sinks: readonly (SinkPolicyOptions & { readonly name: string })[]
}

interface NamedFilter {
  readonly name: string
  readonly options: FilterOptions
  readonly requests: Filters
  readonly actions: ActionFilters
}

interface NamedSelector {
  readonly name: string
  readonly selection: Selection
}

interface ExplainedSink {
  readonly name: string
  readonly filters: readonly NamedFilter[]
  readonly only: readonly NamedSelector[] | undefined
}

/** Every status that a Complete may have, and none. */
const STATUSES = [undefined, ...Array.from({ length: 500 }, (_, index) => 100 + index)]

/** Every outcome that an action may have, and none. */
const OUTCOMES: readonly (Outcome | undefined)[] = [undefined, 'success', 'failure', 'denied']

/** Says what would be recorded of a request or an action, by asking the same policy that decides it when it comes. */
export class Explainer {
  private readonly policy: RecordingPolicy
  private readonly rules: Rules
  private readonly sinks: readonly ExplainedSink[]

  constructor(
    private readonly options: ExplainedOptions,
    folding: RouterFolding,
    private readonly routes: Pick<RouteTable, 'find'>,
  ) {
    this.policy = new RecordingPolicy(options, folding)
    this.rules = compileRules(options.rules, options.level, folding)
    const shared = namedFilters(options.filters, 'filters', folding)
    this.sinks = options.sinks.map(({ name, filters, only }, index) => ({
      name,
      filters: [...shared, ...namedFilters(filters, `sinks[${index}].filters`, folding)],
      only: only?.map((selector, place) => ({
        name: `sinks[${index}].only[${place}]`,
        selection: new Selection([selector], folding),
      })),
    }))
  }

  explain(method: string, url: string, asked: ExplainOptions = {}): Explanation {
    const found = this.routes.find(method, url)
    const { route } = found
    const byRules = this.rules.explain(method, url, route?.pattern, receivedFacts(asked, route?.audit))
    const level = levelOf(route?.audit ?? null, byRules.level)
    const explained = {
      route: route?.pattern,
      level: LEVEL_NAMES[level],
      ...this.decidedBy(route?.audit, level, byRules),
      sinks: this.explainSinks(method, url, asked, route),
    }
    return { ...explained, summary: summarize(method, url, explained, found) }
  }

  explainAction(asked: ExplainedAction): ActionExplanation {
    const { action } = asked
    const outcomes = asked.outcome === undefined ? OUTCOMES : [asked.outcome]
    const facts = outcomes.map((outcome): ActionFacts => ({ ...whoAndWhat(asked), action, outcome }))
    const received = this.policy.exclusionsOfAction({ ...whoAndWhat(asked), action, outcome: undefined })
    const completes = facts.map((each) => this.policy.exclusionsOfAction(each))
    const sinks = this.sinks.map(({ name, filters, only }, index): [string, SinkExplanation] => [
      name,
      {
        received: takes(received, index, EXCLUDES_RECEIVED),
        complete: whether(completes, index, 'by outcome'),
        filters: filters.flatMap((filter) => explainActionFilter(filter, facts)),
        ...matchingSelectors(only, ({ selection }) =>
          facts.some((each) => (selection.excludedOfAction(each) & EXCLUDES_COMPLETE) === 0),
        ),
      },
    ])
    const explained = Object.fromEntries(sinks)
    return { sinks: explained, summary: summarizeAction(action, explained) }
  }

  private explainSinks(
    method: string,
    url: string,
    asked: ExplainOptions,
    route: { readonly pattern: string; readonly audit: RouteAudit | undefined } | undefined,
  ): Record<string, SinkExplanation> {
    const received = receivedFacts(asked, route?.audit)
    const facts = completeFacts(asked, received)
    const recording = this.policy.decide(method, url, route?.pattern, route?.audit, received)
    const isRecorded = recording.level !== NONE
    const statuses = asked.status === undefined ? STATUSES : [asked.status]
    const completes = statuses.map((each) => {
      const settled = this.policy.settle(recording, method, url, each, factsAt(facts, each))
      return this.policy.exclusionsAt(settled, method, url, each)
    })
    const sinks = this.sinks.map(({ name, filters, only }, index): [string, SinkExplanation] => [
      name,
      {
        received: isRecorded && takes(recording.exclusions, index, EXCLUDES_RECEIVED),
        complete: isRecorded && whether(completes, index, 'by status'),
        filters: filters.flatMap((filter) => explainFilter(filter, method, url, facts)),
        ...matchingSelectors(only, ({ selection }) =>
          statuses.some((each) => selection.selectsComplete(method, url, each, factsAt(facts, each))),
        ),
      },
    ])
    return Object.fromEntries(sinks)
  }

  private decidedBy(audit: RouteAudit | undefined, level: Level, byRules: Decision): Pick<Explanation, 'by' | 'rule'> {
    // `true` alone says nothing of how much, where rules have something recorded.
    if (audit !== undefined && (audit !== true || level !== byRules.level)) return { by: 'route' }
    if (byRules.rule === -1) return { by: 'level' }
    const name = this.options.rules[byRules.rule]?.name
    return { by: 'rule', rule: { index: byRules.rule, ...(name !== undefined && { name }) } }
  }
}

function namedFilters(filters: readonly FilterOptions[], place: string, folding: RouterFolding): NamedFilter[] {
  return filters.map((options, index) => ({
    name: options.name ?? `${place}[${index}]`,
    options,
    requests: compileFilters([options], folding),
    actions: new ActionFilters([options]),
  }))
}

/** Facts that are known at receipt: of the action, what the route declares. */
function receivedFacts(asked: ExplainOptions, audit: RouteAudit | undefined): Facts {
  const { action, targets } = declaredAction(audit) ?? {}
  const known = whoAndWhat(asked)
  return {
    ...known,
    action: typeof action === 'string' ? action : undefined,
    targets: typeof targets === 'function' ? known.targets : [],
    outcome: undefined,
  }
}

/** Facts that are known at the end: of the action, also what the handler says. */
function completeFacts(asked: ExplainOptions, received: Facts): Facts {
  return { ...whoAndWhat(asked), action: asked.action ?? received.action, outcome: asked.outcome }
}

/** Adds the outcome that the record of a request with an action has by its status. */
function factsAt(facts: Facts, status: number | undefined): Facts {
  const hasAction = facts.action !== undefined || facts.targets.length > 0
  return hasAction && facts.outcome === undefined ? { ...facts, outcome: outcomeOfStatus(status) } : facts
}

function whoAndWhat({ actor = 'anonymous', namespace = 'default', targets = [] }: ExplainOptions) {
  return { actor, namespace, targets: [targets].flat().map(({ type, id }: Target) => `${type}:${id}`) }
}

function takes(exclusions: number, index: number, stage: number): boolean {
  return ((exclusions >> (2 * index)) & stage) === 0
}

/** Tells whether a sink takes the Complete in all cases, in none, or in some. */
function whether<Some extends string>(completes: readonly number[], index: number, some: Some): boolean | Some {
  const taken = completes.filter((exclusions) => takes(exclusions, index, EXCLUDES_COMPLETE)).length
  return taken > 0 && taken < completes.length ? some : taken > 0
}

function matchingSelectors(
  only: readonly NamedSelector[] | undefined,
  matches: (selector: NamedSelector) => boolean,
): Pick<SinkExplanation, 'only'> {
  return only === undefined ? {} : { only: only.filter(matches).map(({ name }) => name) }
}

/** Returns what a filter excludes of a request, if it matches. */
function explainFilter(
  { name, options, requests }: NamedFilter,
  method: string,
  url: string,
  facts: Facts,
): FilterExplanation[] {
  const statuses = isActionFilter(options) ? undefined : options.statuses
  if (statuses !== undefined) {
    const matches = statuses.some((status) => requests.excludesStatus(method, url, firstStatus(status), facts))
    return matches ? [{ name, excludes: ['OperationComplete'], statuses: [...statuses] }] : []
  }
  const excludes = stagesOf(requests.excluded(method, url, facts))
  return excludes.length === 0 ? [] : [{ name, excludes }]
}

/** Returns what a filter excludes of an action, if it matches with one of the facts. */
function explainActionFilter(
  { name, options, actions }: NamedFilter,
  facts: readonly ActionFacts[],
): FilterExplanation[] {
  const excludes = stagesOf(facts.reduce((mask, each) => mask | actions.excluded(each), 0))
  const outcomes = isActionFilter(options) ? options.outcomes : undefined
  return excludes.length === 0 ? [] : [{ name, excludes, ...(outcomes && { outcomes: [...outcomes] }) }]
}

function stagesOf(mask: number): Stage[] {
  const stages: Stage[] = []
  if ((mask & EXCLUDES_RECEIVED) !== 0) stages.push('OperationReceived')
  if ((mask & EXCLUDES_COMPLETE) !== 0) stages.push('OperationComplete')
  return stages
}
