/**
 * Measures what filters cost: `npm run bench:filters -- [--slices 20] [--seconds 1] [--connections 64]`. See
 * docs/benchmarks-method.md.
 *
 * Every request is excluded, so that only the decision is measured: over the wire, as CPU time per request beyond a
 * bare server's, and the hook that decides alone.
 */
import { parseArgs } from 'node:util'
import { verdict } from './support/aims.js'
import { machine } from './support/cores.js'
import { runSlice } from './support/load.js'
import { differences, spread } from './support/statistics.js'
import { Worker } from './support/worker.js'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '64' },
  },
})
const slices = Number(values.slices)
const seconds = Number(values.seconds)
const connections = Number(values.connections)

const BARE = 'bare'
const EXCLUDED = 'excluded'
const LAST = '100 filters, the last matches'
const NONE = '100 filters, none matches'
const NAMES = [BARE, 'bare again', EXCLUDED, LAST, NONE]
const WARM_UPS = 2
const CALLS = 50_000

interface Answer {
  port: number
  /** CPU time of all threads, in microseconds. */
  cpu: number
  nanoseconds: number
}

class Contender {
  /** Microseconds of CPU per request over the wire, and per call of the hook alone; one of each per slice. */
  readonly requests: number[] = []
  readonly calls: number[] = []

  constructor(
    readonly name: string,
    private readonly worker: Worker<Answer>,
    private readonly port: number,
  ) {}

  async measure(): Promise<void> {
    const server = { origin: `http://127.0.0.1:${this.port}`, cpu: async () => (await this.worker.ask({})).cpu }
    const { cpuPerRequest } = await runSlice(server, { connections, seconds, hasBody: false })
    const { nanoseconds } = await this.worker.ask({ calls: CALLS })
    this.requests.push(cpuPerRequest)
    this.calls.push(nanoseconds / 1000)
  }

  stop(): Promise<void> {
    return this.worker.stop()
  }
}

const contenders: Contender[] = []
try {
  for (const name of NAMES) {
    const worker = await Worker.start<Answer>('filters.mjs', [name])
    contenders.push(new Contender(name, worker, (await worker.ask({})).port))
  }
  for (let round = -WARM_UPS; round < slices; round++) {
    process.stderr.write(`\rslice ${Math.max(round + 1, 0)} of ${slices} `)
    // Each round starts with another contender, so that none always follows the same one.
    const first = (round + WARM_UPS) % contenders.length
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) await contender.measure()
  }
} finally {
  process.stderr.write('\n')
  for (const contender of contenders) await contender.stop()
}

const added = (name: string) => differences(ofSlices(name).requests, ofSlices(BARE).requests)
const alone = (name: string) => ofSlices(name).calls
const rows = NAMES.map((name) => `| ${name} | ${spread(added(name), 2)} | ${spread(alone(name), 2)} |\n`)
const aims = [
  { text: '5. one filter, µs over the wire', numbers: added(EXCLUDED), most: 1 },
  { text: '5. one filter, µs of the hook', numbers: alone(EXCLUDED), most: 1 },
  ...[LAST, NONE].flatMap((name) => [
    { text: `5. ${name}, µs over the wire`, numbers: added(name), most: 5 },
    { text: `5. ${name}, µs of the hook`, numbers: alone(name), most: 5 },
  ]),
]
process.stdout.write(
  `${machine()}\n${slices} slices of ${seconds} s, ${connections} connections: median (lower quartile – upper quartile)\n\n` +
    '| contender | µs of CPU added per request | µs of the hook alone |\n' +
    `| --- | --- | --- |\n${rows.join('')}\n${aims.map((aim) => `- ${verdict(aim)}\n`).join('')}`,
)

/** The measurements of a contender, without the slices that warmed it up. */
function ofSlices(name: string): { requests: number[]; calls: number[] } {
  const { requests = [], calls = [] } = contenders.find((contender) => contender.name === name) ?? {}
  return { requests: requests.slice(WARM_UPS), calls: calls.slice(WARM_UPS) }
}
