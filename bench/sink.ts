/**
 * Measures the file sink alone, beside other writers of files: `npm run bench:sink -- [--slices 20] [--milliseconds
 * 250]`. 256 writers each have one entry of 600 bytes under way. See docs/benchmarks-method.md.
 */
import { parseArgs } from 'node:util'
import { type Aim, verdict } from './support/aims.js'
import { machine } from './support/cores.js'
import { ratios, spread } from './support/statistics.js'
import { inTurns, type Written } from './support/worker.js'

const { values } = parseArgs({
  options: { slices: { type: 'string', default: '20' }, milliseconds: { type: 'string', default: '250' } },
})
const milliseconds = Number(values.milliseconds)
const rounds = Number(values.slices)
/** Long enough for the sink's first check of its disk, a second after it was opened. */
const WARM_UP = 1500

const STREAM = 'rotating-file-stream'
const NAMES = [STREAM, `${STREAM} again`, 'sonic-boom sync', 'file sink', 'file sink, fsync']

const slices = await inTurns<Written>('sink.mjs', new Map(NAMES.map((name) => [name, [name]])), {
  rounds,
  warmUp: { milliseconds: WARM_UP },
  question: { milliseconds },
})

const rates = (name: string) => (slices.get(name) ?? []).map((slice) => slice.entries / slice.milliseconds)
const costs = (name: string) => (slices.get(name) ?? []).map(({ cpu, entries }) => cpu / entries)

const rows = NAMES.map((name) => {
  const cells = [
    spread(rates(name), 0),
    spread(ratios(rates(name), rates(STREAM)), 2),
    spread(costs(name), 2),
    spread(ratios(costs(name), costs(STREAM)), 3),
  ]
  return `| ${[name, ...cells].join(' | ')} |\n`
})
const aims: Aim[] = [
  { text: `4. file sink to ${STREAM}`, numbers: ratios(rates('file sink'), rates(STREAM)), least: 15 },
  { text: '4. file sink to sonic-boom sync', numbers: ratios(rates('file sink'), rates('sonic-boom sync')), least: 1 },
  { text: `4. file sink, fsync, to ${STREAM}`, numbers: ratios(rates('file sink, fsync'), rates(STREAM)), least: 1 },
]
process.stdout.write(
  `${machine()}\n${rounds} slices of ${milliseconds} ms: median (lower quartile – upper quartile)\n\n` +
    `| contender | entries per ms | to ${STREAM} | µs of CPU per entry | to ${STREAM} |\n` +
    `| --- | --- | --- | --- | --- |\n${rows.join('')}\n${aims.map((aim) => `- ${verdict(aim)}\n`).join('')}`,
)
