import type { Stage } from '../event/event.js'
import { LEVEL_NAMES, type Level, type LevelName, NONE } from '../event/level.js'
import { compileFilters, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED, type FilterOptions, type Filters } from './filter.js'
import type { RouterFolding } from './path.js'
import type { PolicyOptions } from './recording-policy.js'
import type { RouteAudit } from './route-level.js'
import { levelOf } from './route-level.js'
import type { FoundRoute, RouteTable } from './route-table.js'
import { compileRules, type Decision, type Rules } from './rules.js'
import { firstStatus } from './statuses.js'

/** A filter that matches a request. */
export interface FilterExplanation {
  /** Its name, or its place in the options, such as `'filters[2]'` or `'sinks[0].filters[1]'`. */
  name: string
  excludes: Stage[]
  /** The statuses of the Complete that it excludes; absent: whatever the status. */
  statuses?: readonly string[]
}

/** The stages of a request that one sink records. */
export interface SinkExplanation {
  received: boolean
  /** `'by status'`: unless its status is one of those that `filters` name. */
  complete: boolean | 'by status'
  /** The filters that match, the plugin's first. */
  filters: FilterExplanation[]
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

/** Facts that `explain` cannot read from the method and the URL. */
export interface ExplainOptions {
  /**
   * The namespace that the `namespace` option would return.
   * @default 'default'
   */
  namespace?: string | undefined
}

/** The options that decide what is recorded, with the names of the sinks. */
export interface ExplainedOptions extends PolicyOptions {
  readonly sinks: readonly { readonly name: string; readonly filters: readonly FilterOptions[] }[]
}

interface NamedFilter {
  readonly name: string
  readonly options: FilterOptions
  readonly compiled: Filters
}

/** Says what would be recorded of a request, by the same rules and filters that decide it when it comes. */
export class Explainer {
  private readonly rules: Rules
  private readonly sinks: readonly { readonly name: string; readonly filters: readonly NamedFilter[] }[]

  constructor(
    private readonly options: ExplainedOptions,
    folding: RouterFolding,
    private readonly routes: Pick<RouteTable, 'find'>,
  ) {
    this.rules = compileRules(options.rules, options.level, folding)
    const shared = namedFilters(options.filters, 'filters', folding)
    this.sinks = options.sinks.map(({ name, filters }, index) => ({
      name,
      filters: [...shared, ...namedFilters(filters, `sinks[${index}].filters`, folding)],
    }))
  }

  explain(method: string, url: string, { namespace = 'default' }: ExplainOptions = {}): Explanation {
    const found = this.routes.find(method, url)
    const byRules = this.rules.explain(method, url, found.route?.pattern, namespace)
    const level = levelOf(found.route?.audit ?? null, byRules.level)
    const sinks = this.sinks.map(({ name, filters }) => [name, explainSink(filters, level, method, url)] as const)
    const explained = {
      route: found.route?.pattern,
      level: LEVEL_NAMES[level],
      ...this.decidedBy(found.route?.audit, level, byRules),
      sinks: Object.fromEntries(sinks),
    }
    return { ...explained, summary: summarize(method, url, explained, found) }
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
    compiled: compileFilters([options], folding),
  }))
}

function explainSink(filters: readonly NamedFilter[], level: Level, method: string, url: string): SinkExplanation {
  const matching = filters.flatMap((filter) => explainFilter(filter, method, url))
  const excludes = (stage: Stage) =>
    matching.some((each) => each.statuses === undefined && each.excludes.includes(stage))
  const received = level !== NONE && !excludes('OperationReceived')
  const complete = level !== NONE && !excludes('OperationComplete')
  const isByStatus = complete && matching.some(({ statuses }) => statuses !== undefined)
  return { received, complete: isByStatus ? 'by status' : complete, filters: matching }
}

/** Returns what a filter excludes of a request, if it matches. */
function explainFilter({ name, options, compiled }: NamedFilter, method: string, url: string): FilterExplanation[] {
  const { statuses } = options
  if (statuses !== undefined) {
    const matches = statuses.some((status) => compiled.excludesStatus(method, url, firstStatus(status)))
    return matches ? [{ name, excludes: ['OperationComplete'], statuses: [...statuses] }] : []
  }
  const mask = compiled.excluded(method, url)
  const excludes: Stage[] = []
  if ((mask & EXCLUDES_RECEIVED) !== 0) excludes.push('OperationReceived')
  if ((mask & EXCLUDES_COMPLETE) !== 0) excludes.push('OperationComplete')
  return excludes.length === 0 ? [] : [{ name, excludes }]
}

function summarize(method: string, url: string, explained: Omit<Explanation, 'summary'>, found: FoundRoute): string {
  const { route, level, sinks } = explained
  const where = route === undefined ? 'no known route' : `route ${route}`
  const unless = found.constrained === undefined ? '' : `, unless the constraints of route ${found.constrained} hold`
  const why = `${method} ${url} (${where}${unless}): level ${level} by ${reason(explained)}`
  if (level === 'none') return `${why}; nothing is recorded`
  const stored = Object.entries(sinks).map(([name, sink]) => `sink "${name}" records ${recorded(sink)}`)
  return [why, ...stored].join('; ')
}

function reason({ by, rule }: Pick<Explanation, 'by' | 'rule'>): string {
  if (by === 'route') return "the route's config.audit"
  if (rule === undefined) return 'the option level'
  return rule.name === undefined ? `rules[${rule.index}]` : `rule "${rule.name}"`
}

function recorded({ received, complete, filters }: SinkExplanation): string {
  const stages = [
    ...(received ? ['OperationReceived'] : []),
    ...(complete === 'by status' ? ['OperationComplete of some statuses'] : complete ? ['OperationComplete'] : []),
  ]
  const what = stages.length === 0 ? 'nothing' : stages.join(' and ')
  return filters.length === 0 ? what : `${what} (filters: ${filters.map(describe).join(', ')})`
}

function describe({ name, statuses }: FilterExplanation): string {
  return statuses === undefined ? name : `${name} for ${statuses.join(', ')}`
}
