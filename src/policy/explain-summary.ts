import type { Explanation, FilterExplanation, SinkExplanation } from './explanation.js'
import type { FoundRoute } from './route-table.js'

/** Says in one sentence what is recorded of a request, and why. */
export function summarize(
  method: string,
  url: string,
  explained: Omit<Explanation, 'summary'>,
  found: FoundRoute,
): string {
  const { route, level, sinks } = explained
  const where = route === undefined ? 'no known route' : `route ${route}`
  const unless = found.constrained === undefined ? '' : `, unless the constraints of route ${found.constrained} hold`
  const why = `${method} ${url} (${where}${unless}): level ${level} by ${reason(explained)}`
  if (level === 'none') return `${why}; nothing is recorded`
  return [why, ...recordedBy(sinks)].join('; ')
}

/** Says in one sentence what is recorded of an action beside requests. */
export function summarizeAction(action: string, sinks: Readonly<Record<string, SinkExplanation>>): string {
  return [`action ${action}`, ...recordedBy(sinks)].join('; ')
}

function recordedBy(sinks: Readonly<Record<string, SinkExplanation>>): string[] {
  return Object.entries(sinks).map(([name, sink]) => `sink "${name}" records ${recorded(sink)}`)
}

function reason({ by, rule }: Pick<Explanation, 'by' | 'rule'>): string {
  if (by === 'route') return "the route's config.audit"
  if (rule === undefined) return 'the option level'
  return rule.name === undefined ? `rules[${rule.index}]` : `rule "${rule.name}"`
}

function recorded({ received, complete, filters, only }: SinkExplanation): string {
  const stages = [...(received ? ['OperationReceived'] : []), ...completes(complete)]
  const what = stages.length === 0 ? 'nothing' : stages.join(' and ')
  const reasons = [
    ...(only === undefined ? [] : [`only: ${only.join(', ') || 'no selector matches'}`]),
    ...(filters.length === 0 ? [] : [`filters: ${filters.map(describe).join(', ')}`]),
  ]
  return reasons.length === 0 ? what : `${what} (${reasons.join('; ')})`
}

function completes(complete: SinkExplanation['complete']): string[] {
  if (complete === 'by status') return ['OperationComplete of some statuses']
  if (complete === 'by outcome') return ['OperationComplete of some outcomes']
  return complete ? ['OperationComplete'] : []
}

function describe({ name, statuses, outcomes }: FilterExplanation): string {
  const some = statuses ?? outcomes
  return some === undefined ? name : `${name} for ${some.join(', ')}`
}
