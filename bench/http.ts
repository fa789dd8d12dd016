/**
 * Compares auditing with other loggers in one run: `npm run bench -- [--slices 20] [--seconds 1]
 * [--processes 4] [--connections 64,256,16,1] [--only "enforced + pino sync"]`. See docs/benchmarks-method.md.
 *
 * Machines are noisy, so that only ratios count: every contender is a process, they take turns in short slices, and
 * each slice is compared with the bare server's slice of the same round. `bare again` is the bare server a second time:
 * its distance from 1 is the noise. A process can differ from the next one for its whole life, so that all are started
 * anew a few times.
 */
import { parseArgs } from 'node:util'
import { type Aim, verdict } from './support/aims.js'
import { machine } from './support/cores.js'
import { type Load, runSlice, type Slice } from './support/load.js'
import { Server } from './support/servers.js'
import { differences, ratios, spread } from './support/statistics.js'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '1' },
    processes: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64,256,16,1' },
    only: { type: 'string' },
  },
})
const slices = Number(values.slices)
const seconds = Number(values.seconds)
const processes = Number(values.processes)
const only = values.only?.split('+').map((name) => name.trim())

/** The others are compared with the first of each. */
const WITHOUT_BODIES = [
  ...['bare', 'bare again', 'pino sync', 'pino async', 'pino-http', 'morgan'],
  ...['enforced', 'best-effort', 'enforced fsync', 'rancher', 'sealed', 'sealed by secret', 'rotating-file-stream'],
]
const WITH_BODIES = [
  ...['bare, bodies', 'bare again, bodies', 'metadata, bodies', 'request, bodies', 'response, bodies'],
  'rancher response, bodies',
]
const WARM_UPS = 2

/** The slices of every contender of one table, the first one first. */
type Results = Map<string, Slice[]>

const unknown = only?.find((name) => ![...WITHOUT_BODIES, ...WITH_BODIES].includes(name))
if (unknown !== undefined) throw new Error(`--only: no contender is called ${unknown}`)

process.stdout.write(
  `${machine()}\n${slices} slices of ${seconds} s, of ${processes} processes, each warmed up for ${WARM_UPS}\n`,
)
const aims: Aim[] = []
for (const connections of values.connections.split(',').map(Number)) {
  for (const all of [WITHOUT_BODIES, WITH_BODIES]) {
    const [bare = ''] = all
    const names = all.filter((name) => only === undefined || name === bare || only.includes(name))
    if (only !== undefined && !names.some((name) => only.includes(name))) continue
    const results = await compare(names, connections, all === WITH_BODIES)
    process.stdout.write(table(results, `${connections} connections${all === WITH_BODIES ? ', 2 KB bodies' : ''}`))
    aims.push(...aimsOf(results, connections))
  }
}
if (aims.length > 0) process.stdout.write(`\naims:\n${aims.map((aim) => `- ${verdict(aim)}\n`).join('')}`)

async function compare(names: string[], connections: number, hasBody: boolean): Promise<Results> {
  const results: Results = new Map(names.map((name) => [name, []]))
  for (let done = 0; done < slices; done += Math.ceil(slices / processes)) {
    const rounds = Math.min(Math.ceil(slices / processes), slices - done)
    await takeTurns(results, rounds, { connections, seconds, hasBody }, (round) => {
      process.stderr.write(`\r${connections} connections: slice ${done + round} of ${slices} `)
    })
  }
  process.stderr.write('\n')
  return results
}

/** One process of each contender, for some slices of each. */
async function takeTurns(results: Results, rounds: number, load: Load, tell: (round: number) => void): Promise<void> {
  const turns: { server: Server; slices: Slice[] }[] = []
  try {
    for (const [name, slices] of results) turns.push({ server: await Server.start(name), slices })
    for (let round = -WARM_UPS; round < rounds; round++) {
      tell(Math.max(round + 1, 0))
      // Each round starts with another contender, so that none always follows the same one.
      const first = (round + WARM_UPS) % turns.length
      for (const turn of [...turns.slice(first), ...turns.slice(0, first)]) {
        await turn.server.empty()
        const slice = await runSlice(turn.server, load)
        if (round >= 0) turn.slices.push(slice)
      }
    }
  } finally {
    for (const { server } of turns) await server.stop()
  }
}

function table(results: Results, title: string): string {
  const [bare = []] = results.values()
  const rows = [...results].map(([name, of]) => {
    const cells = [
      spread(ratios(rates(of), rates(bare)), 2),
      spread(ratios(costs(of), costs(bare)), 2),
      spread(differences(costs(of), costs(bare)), 1),
      spread(
        of.map(({ utilisation }) => utilisation),
        2,
      ),
    ]
    return `| ${[name, ...cells].join(' | ')} |\n`
  })
  return (
    `\n${title}: median (lower quartile – upper quartile)\n\n` +
    '| contender | throughput, to bare | CPU per request, to bare | µs of CPU added | of its core |\n' +
    `| --- | --- | --- | --- | --- |\n${rows.join('')}`
  )
}

/** The aims of docs/benchmarks-method.md that a table covers. */
function aimsOf(results: Results, connections: number): Aim[] {
  const aims: Aim[] = []
  const [bare, enforced] = [results.get('bare'), results.get('enforced')]
  const [pino, fsync] = [results.get('pino sync'), results.get('enforced fsync')]
  if (connections === 64 && bare && enforced) {
    aims.push(
      { text: '1. throughput, enforced to bare', numbers: ratios(rates(enforced), rates(bare)), least: 0.85 },
      { text: '1. CPU per request, enforced to bare', numbers: ratios(costs(enforced), costs(bare)), most: 7 / 6 },
    )
  }
  if (connections === 64 && enforced && pino) {
    const numbers = ratios(rates(enforced), rates(pino))
    aims.push({ text: '2. throughput, enforced to pino sync', numbers, least: 1.8 })
  }
  if (connections === 256 && enforced && fsync) {
    const numbers = ratios(rates(fsync), rates(enforced))
    aims.push({ text: '3. throughput, enforced fsync to enforced', numbers, least: 0.65 })
  }
  return aims
}

function rates(slices: readonly Slice[]): number[] {
  return slices.map(({ requestsPerSecond }) => requestsPerSecond)
}

function costs(slices: readonly Slice[]): number[] {
  return slices.map(({ cpuPerRequest }) => cpuPerRequest)
}
