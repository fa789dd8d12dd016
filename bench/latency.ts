/**
 * Latency at a fixed rate, half of what bare Fastify can serve: `npm run bench:latency -- [--slices 20] [--seconds 2]
 * [--share 0.5]`. Requests start on schedule, whether replies have come back or not. See docs/benchmarks-method.md.
 */
import { parseArgs } from 'node:util'
import { verdict } from './support/aims.js'
import { machine } from './support/cores.js'
import { runSlice } from './support/load.js'
import { OpenLoop } from './support/open-loop.js'
import { Server } from './support/servers.js'
import { quantile, ratios, spread } from './support/statistics.js'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '2' },
    share: { type: 'string', default: '0.5' },
  },
})
const slices = Number(values.slices)
const seconds = Number(values.seconds)
const share = Number(values.share)

const NAMES = ['bare', 'bare again', 'enforced', 'best-effort', 'pino sync']
const SHARES = [0.5, 0.99, 0.999]
/** Connections for the maximum, as in the comparison of throughput. */
const CONNECTIONS = 64
/** Connections of the open loop: at 40,000 requests a second all are busy after the server has stopped for 6 ms. */
const OPEN_CONNECTIONS = 256
const WARM_UPS = 2
/** Slices for the maximum; the first one warms up. */
const MAXIMUM_SLICES = 6

interface Slice {
  /** Milliseconds for each of `SHARES`. */
  percentiles: number[]
  lateness: number
  utilisation: number
}

interface Contender {
  name: string
  server: Server
  loop: OpenLoop
  slices: Slice[]
}

const contenders: Contender[] = []
try {
  for (const name of NAMES) {
    const server = await Server.start(name)
    const loop = await OpenLoop.open(`${server.origin}/v1/jobs?prefix=web`, OPEN_CONNECTIONS)
    contenders.push({ name, server, loop, slices: [] })
  }
  const maximum = await maximumOf(contenders)
  const rate = Math.round(maximum * share)
  process.stdout.write(
    `${machine()}\nbare's maximum: ${Math.round(maximum)} requests per second; rate: ${rate}, in ${slices} slices of ` +
      `${seconds} s, warmed up for ${WARM_UPS}\n`,
  )
  for (let round = -WARM_UPS; round < slices; round++) {
    process.stderr.write(`\rslice ${Math.max(round + 1, 0)} of ${slices} `)
    // Each round starts with another contender, so that none always follows the same one.
    const first = (round + WARM_UPS) % contenders.length
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const slice = await sliceOf(contender, rate)
      if (round >= 0) contender.slices.push(slice)
    }
  }
  process.stderr.write('\n')
  report()
} finally {
  for (const { loop } of contenders) loop.close()
  for (const { server } of contenders) await server.stop()
}

/** Takes the median of some slices, which also warm all contenders up equally. */
async function maximumOf(all: readonly Contender[]): Promise<number> {
  const rates: number[] = []
  for (const { name, server } of Array.from({ length: MAXIMUM_SLICES }, () => all).flat()) {
    await server.empty()
    const { requestsPerSecond } = await runSlice(server, { connections: CONNECTIONS, seconds, hasBody: false })
    if (name === 'bare') rates.push(requestsPerSecond)
  }
  return quantile(rates.slice(1), 0.5)
}

async function sliceOf({ server, loop }: Contender, rate: number): Promise<Slice> {
  await server.empty()
  const before = await server.cpu()
  const start = performance.now()
  const { latencies, lateness } = await loop.run({ rate, seconds })
  const microseconds = (performance.now() - start) * 1000
  const cpu = (await server.cpu()) - before
  return {
    percentiles: SHARES.map((share) => percentile(latencies, share)),
    lateness: percentile(lateness, 0.99),
    utilisation: cpu / microseconds,
  }
}

/** The latency below which this share of the requests lies. */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
}

function report(): void {
  const [bare] = contenders
  const of = ({ slices }: Contender, index: number) => slices.map(({ percentiles }) => percentiles[index] ?? Number.NaN)
  const toBare = (contender: Contender, index: number) => ratios(of(contender, index), bare ? of(bare, index) : [])
  const rows = contenders.map((contender) => {
    const cells = [
      ...SHARES.map((_, index) => spread(toBare(contender, index), 2)),
      ...SHARES.map((_, index) => quantile(of(contender, index), 0.5).toFixed(2)),
      spread(
        contender.slices.map(({ utilisation }) => utilisation),
        2,
      ),
    ]
    return `| ${[contender.name, ...cells].join(' | ')} |\n`
  })
  const lateness = contenders.flatMap(({ slices }) => slices.map(({ lateness }) => lateness))
  const enforced = contenders.find(({ name }) => name === 'enforced')
  process.stdout.write(
    '\nto bare, median (lower quartile – upper quartile); and medians in milliseconds\n\n' +
      '| contender | p50, to bare | p99, to bare | p99.9, to bare | p50 | p99 | p99.9 | of its core |\n' +
      `| --- | --- | --- | --- | --- | --- | --- | --- |\n${rows.join('')}\n` +
      `the generator itself is late by, p99: ${spread(lateness, 3)} ms\n` +
      `- ${verdict({ text: '6. p99, enforced to bare', numbers: enforced ? toBare(enforced, 1) : [], most: 1.5 })}\n`,
  )
}
