import { readTrail, type TrailCounts } from '../reader/read-trail.js'
import type { TrailExchange } from '../reader/trail-exchange.js'
import { choiceOf, type Parsed } from './arguments.js'
import { type Command, EXIT, type Exit, type Io } from './command.js'
import { ACCESS_OPTION, FILTER_OPTIONS, HELP_OPTION, pathsOf, queryOf } from './options.js'
import { readAll } from './read-all.js'
import { SHOWN, Statistics } from './statistics.js'
import { tableRow } from './table.js'
import type { Tally } from './tally.js'
import { cut, padded, printable, printableJson } from './terminal.js'
import { barsOf } from './timeline.js'

const FORMATS = ['table', 'json'] as const
const CHART_COLUMNS = 60
const NUMBER = 10

export const stats: Command = {
  name: 'stats',
  summary: 'sums a trail up: who did most, what, how fast, and what went wrong',
  usage: 'PATH…',
  options: {
    ...FILTER_OPTIONS,
    format: { value: 'FORMAT', help: 'table (the default) or json' },
    ...ACCESS_OPTION,
    ...HELP_OPTION,
  },
  examples: [
    { what: 'The last day', line: 'stats --since 24h data/audit' },
    { what: 'What one user did', line: 'stats --actor u-23 data/audit/audit.log' },
  ],
  run,
}

async function run(parsed: Parsed, io: Io): Promise<Exit> {
  const format = choiceOf(parsed, 'format', FORMATS) ?? 'table'
  const trail = readTrail(pathsOf(parsed), queryOf(parsed))
  const statistics = new Statistics()
  const isWhole = await readAll(trail, io, (exchange) => statistics.add(exchange))
  // If a file could not be read, show the rest.
  const lines = format === 'json' ? [printableJson(asJson(statistics, trail.counts))] : report(statistics, io)
  for (const line of lines) await io.out.line(line)
  await io.out.flush()
  if (!isWhole) return EXIT.trouble
  return statistics.total > 0 ? EXIT.found : EXIT.nothing
}

function asJson(statistics: Statistics, counts: Readonly<TrailCounts>): object {
  const { requests, events, work, errors, open, aborted, corrected, total } = statistics
  const { first, last, slowest, neverCompleted } = statistics
  const { width, spans } = statistics.timeline.spans(CHART_COLUMNS)
  return {
    requests,
    events,
    work,
    errors,
    open,
    aborted,
    corrected,
    first: total === 0 ? null : isoOf(first),
    last: total === 0 ? null : isoOf(last),
    actors: statistics.actors.top(SHOWN),
    endpoints: statistics.endpoints.top(SHOWN),
    statuses: statistics.statuses.top(Number.POSITIVE_INFINITY),
    actions: statistics.actions.top(SHOWN),
    outcomes: statistics.outcomes.top(Number.POSITIVE_INFINITY),
    ends: statistics.ends.top(Number.POSITIVE_INFINITY),
    messages: statistics.messages.top(SHOWN),
    rates: { seconds: width / 1000, spans: spans.map(({ from, count }) => ({ from: isoOf(from), count })) },
    slowest,
    never_completed: neverCompleted,
    trail: counts,
  }
}

function report(statistics: Statistics, io: Io): string[] {
  const { events, work, errors, open, aborted, corrected, first, last, total } = statistics
  if (total === 0) return ['No requests.']
  // These tables count events and work too.
  const unit = events + work === 0 ? 'requests' : 'total'
  return [
    `${counted(statistics)} from ${isoOf(first)} to ${isoOf(last)}`,
    `${errors} ${events + work === 0 ? 'with a status of 400 or more' : 'failed or denied'}, ${open} never completed, ${aborted} aborted, ${corrected} corrected`,
    ...ratesOf(statistics, io),
    ...section('Who did most', statistics.actors, io, unit),
    ...section('What was asked most', statistics.endpoints, io),
    ...section('What was done most', statistics.actions, io, 'actions'),
    ...section('Outcomes of actions', statistics.outcomes, io, 'actions'),
    ...section('Statuses', statistics.statuses, io),
    ...section('Ends of long replies', statistics.ends, io, 'replies'),
    ...section('Errors', statistics.messages, io, unit),
    ...listed('Slowest', statistics.slowest, io),
    ...listed('Never completed', statistics.neverCompleted, io),
  ]
}

/** `3 requests`, and events and work where there are any. */
function counted({ requests, events, work }: Statistics): string {
  const beside = events + work === 0 ? '' : `, ${events} events and ${work} pieces of work`
  return `${requests} requests${beside}`
}

function ratesOf({ timeline, errorTimeline }: Statistics, { paint }: Io): string[] {
  const { width, spans } = timeline.spans(CHART_COLUMNS)
  const counts = spans.map(({ count }) => count)
  // Both charts have the same spans, so that their bars stand below each other.
  const errors = new Map(errorTimeline.spansOf(width).map(({ from, count }) => [from, count]))
  return [
    '',
    paint(`Requests over time: ${width / 1000} s a column, at most ${Math.max(...counts)}`, 'bold'),
    `  ${paint(barsOf(counts), 'green')}`,
    `  ${paint(barsOf(spans.map(({ from }) => errors.get(from) ?? 0)), 'red')}  errors`,
  ]
}

function section(title: string, tally: Tally, { paint, isTerminal, columns }: Io, what = 'requests'): string[] {
  const rows = tally.top(SHOWN)
  if (rows.length === 0) return []
  const more = tally.size - rows.length
  const room = isTerminal ? Math.max(1, columns - 2 * NUMBER - 3) : Number.POSITIVE_INFINITY
  const shown = (key: string) => cut(printable(key), room)
  return [
    '',
    paint(title, 'bold'),
    row(what, 'errors', ''),
    ...rows.map(({ key, total, errors }) => row(String(total), String(errors), shown(key))),
    ...(more > 0 ? [row('', '', `and ${more} more`)] : []),
  ]
}

function row(total: string, errors: string, what: string): string {
  return `${padded(total, NUMBER, 'right')} ${padded(errors, NUMBER, 'right')}  ${what}`.trimEnd()
}

function listed(title: string, exchanges: readonly TrailExchange[], { paint, isTerminal, columns }: Io): string[] {
  if (exchanges.length === 0) return []
  const options = { paint, columns: isTerminal ? columns : undefined }
  return ['', paint(title, 'bold'), ...exchanges.map((exchange) => tableRow(exchange, options))]
}

function isoOf(time: number): string {
  return new Date(time).toISOString()
}
