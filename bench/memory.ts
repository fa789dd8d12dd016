/**
 * Checks that memory stays flat: `npm run bench:memory -- [--requests 1000000] [--every 100000]`. Serves `--requests`
 * requests, and reads the memory after each `--every`. See docs/benchmarks-method.md.
 */
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { machine } from './support/cores.js'
import { differences, quantile } from './support/statistics.js'
import { Worker } from './support/worker.js'

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '1000000' }, every: { type: 'string', default: '100000' } },
})
const every = Number(values.every)
const looks = Math.floor(Number(values.requests) / every)
if (looks < 4) throw new Error('--requests: at least four times --every, for each half to have two looks')

/** Bare Fastify shows the memory that the audit does not use. */
const NAMES = ['bare', 'enforced']
const CONNECTIONS = 64
/** Rounds before the first reading: in them code is compiled and buffers grow. */
const WARM_UPS = 2
const MIB = 2 ** 20
/** The least share of a process's memory that counts: 1 MB of 100, or 2 bytes a request of half a million. */
const LEAST = 0.01

/** Bytes after a garbage collection. */
interface Memory {
  port: number
  rss: number
  heapUsed: number
}

process.stdout.write(
  `${machine()}\n${looks * every} requests after ${WARM_UPS * every} to warm up, ${CONNECTIONS} connections\n\n` +
    `| contender | MiB, after each ${every} | slope, bytes per request | halves differ by | noise | |\n` +
    '| --- | --- | --- | --- | --- | --- |\n',
)
for (const name of NAMES) {
  const memories = await watch(name)
  for (const measure of ['rss', 'heapUsed'] as const) {
    const bytes = memories.map((memory) => memory[measure])
    process.stdout.write(`| ${name}, ${measure} | ${row(bytes)} |\n`)
  }
}

async function watch(name: string): Promise<Memory[]> {
  const memories: Memory[] = []
  const worker = await Worker.start<Memory>('memory.mjs', [name])
  try {
    const { port } = await worker.ask({})
    const url = `http://127.0.0.1:${port}/v1/jobs?prefix=web`
    for (let round = -WARM_UPS; round < looks; round++) {
      process.stderr.write(`\r${name}: ${(round + WARM_UPS) * every} requests `)
      const result = await autocannon({ url, connections: CONNECTIONS, amount: every })
      if (result['2xx'] !== every) throw new Error(`${every - result['2xx']} requests failed`)
      const memory = await worker.ask({})
      if (round >= 0) memories.push(memory)
    }
  } finally {
    process.stderr.write('\n')
    await worker.stop()
  }
  return memories
}

/**
 * The noise is how much the middle half of the steps between neighbours differ, and how much memory was taken and given
 * back. A leak is the same in all steps and gives nothing back, so that it does not count as noise. It also raises the
 * minimum of a half as much as its median, which a process that varies between two levels does not.
 */
function row(bytes: readonly number[]): string {
  const half = Math.floor(bytes.length / 2)
  const growth = Math.min(...[0, 0.5].map((share) => rise(bytes, half, share)))
  const steps = differences(bytes.slice(1), bytes)
  const spread = quantile(steps, 0.75) - quantile(steps, 0.25)
  const noise = Math.max(spread, deepestFall(bytes), LEAST * quantile(bytes, 0.5))
  const slope = growth / ((bytes.length - half) * every)
  return [
    bytes.map(inMib).join(' '),
    slope.toFixed(2),
    inMib(growth),
    inMib(noise),
    growth <= noise ? 'flat' : 'growing',
  ].join(' | ')
}

/** The growth of a quantile from the first half of the readings to the second. */
function rise(bytes: readonly number[], half: number, share: number): number {
  return quantile(bytes.slice(-half), share) - quantile(bytes.slice(0, half), share)
}

/** The deepest fall from a reading to any later one. */
function deepestFall(bytes: readonly number[]): number {
  return Math.max(...bytes.map((before, index) => before - Math.min(...bytes.slice(index))))
}

function inMib(bytes: number): string {
  return (bytes / MIB).toFixed(2)
}
