/**
 * What auditing costs, side by side in one run: `npm run bench -- [--slices 20] [--seconds 1] [--connections 64]`.
 *
 * Machines are noisy, so no number stands alone: every contender is its own live process, they take turns in short
 * slices, and what counts is each slice's ratio to the bare server's slice of the same round. `bare again` is the bare
 * server a second time: how far it is from 1 is the noise.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string' },
  },
})
const slices = Number(values.slices)
const seconds = Number(values.seconds)
const connections = Number(values.connections)

const WITHOUT_BODIES = [
  ...['bare', 'bare again', 'pino', 'enforced', 'best-effort', 'rancher', 'enforced fsync'],
  ...['sealed', 'sealed by secret', 'rotating-file-stream'],
]
const WITH_BODIES = [
  ...['bare, bodies', 'metadata, bodies', 'request, bodies', 'response, bodies'],
  'rancher response, bodies',
]
const only = values.only?.split(' + ')
const names = [WITHOUT_BODIES, WITH_BODIES].flatMap((all) => {
  const chosen = all.filter((name) => only === undefined || only.includes(name))
  const [bare = ''] = all
  return chosen.length === 0 || chosen.includes(bare) ? chosen : [bare, ...chosen]
})

/** 2 KB of JSON, as an API is sent it. */
const BODY = JSON.stringify({
  name: 'web',
  owner: { id: 23, mail: 'ada@example.org', active: true },
  tasks: Array.from({ length: 16 }, (_, index) => ({
    id: index,
    image: `registry.example.org/team/service-${index}:1.2.${index}`,
    command: ['serve', '--port', String(8000 + index)],
    cpu: 0.5,
  })),
})

interface Slice {
  requestsPerSecond: number
  /** Microseconds. */
  cpuPerRequest: number
}

interface Server {
  child: ChildProcess
  port: number
  hasBody: boolean
  slices: Slice[]
}

const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'))
const servers = new Map<string, Server>()
for (const name of names) {
  const child = fork(new URL('./server.ts', import.meta.url), [name, directory], { execArgv: ['--import', 'tsx'] })
  const [{ port }] = await once(child, 'message')
  servers.set(name, { child, port, hasBody: WITH_BODIES.includes(name), slices: [] })
}

for (const server of servers.values()) await runSlice(server)
for (let slice = 0; slice < slices; slice++) {
  // Each round starts with another contender, so that none always follows the same one.
  const order = [...servers.values()]
  for (let turn = 0; turn < order.length; turn++) {
    const server = order[(slice + turn) % order.length]
    if (server !== undefined) server.slices.push(await runSlice(server))
  }
  process.stderr.write(`\rslice ${slice + 1} of ${slices}`)
}
process.stderr.write('\n')

report()
for (const { child } of servers.values()) child.disconnect()
await rm(directory, { recursive: true })

async function runSlice({ child, port, hasBody }: Server): Promise<Slice> {
  const before = await cpuOf(child)
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/v1/jobs?prefix=web`,
    connections,
    duration: seconds,
    ...(hasBody && { method: 'POST', headers: { 'content-type': 'application/json' }, body: BODY }),
  })
  const after = await cpuOf(child)
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed`)
  const requests = result.requests.total
  return { requestsPerSecond: requests / result.duration, cpuPerRequest: (after - before) / requests }
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = await once(child, 'message')
  return cpu
}

function report(): void {
  process.stdout.write(
    `\n${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${connections} connections, ` +
      `${slices} slices of ${seconds} s\nratios to bare of the same round: median (lower quartile – upper quartile)\n\n` +
      `| contender | throughput | CPU per request | µs of CPU added |\n| --- | --- | --- | --- |\n`,
  )
  for (const [name, { slices, hasBody }] of servers) {
    const bare = servers.get(hasBody ? 'bare, bodies' : 'bare')?.slices ?? []
    const throughput = slices.map((slice, round) => slice.requestsPerSecond / (bare[round]?.requestsPerSecond ?? 0))
    const cpu = slices.map((slice, round) => slice.cpuPerRequest / (bare[round]?.cpuPerRequest ?? 0))
    const added = slices.map((slice, round) => slice.cpuPerRequest - (bare[round]?.cpuPerRequest ?? 0))
    process.stdout.write(`| ${name} | ${spread(throughput, 2)} | ${spread(cpu, 2)} | ${spread(added, 1)} |\n`)
  }
}

function spread(numbers: number[], digits: number): string {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(digits)
  return `${at(0.5)} (${at(0.25)} – ${at(0.75)})`
}
