import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../sinks/file/world.js'
import { expectRecorded, type Line, readTrail } from './books.js'
import { type Answer, endpointOf } from './traffic.js'

/** A cluster whose workers share a port, and write to `audit-0.log`, `audit-1.log` and so on. */
class Cluster {
  readonly answers: Answer[] = []
  port = 0
  private last = 0

  constructor(readonly directory: string) {
    const exec = fileURLToPath(new URL('./cluster-worker.ts', import.meta.url))
    cluster.setupPrimary({ exec, execArgv: ['--import', 'tsx'] })
    onTestFinished(() => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
    })
  }

  async start(): Promise<Worker> {
    const worker = cluster.fork({ AUDIT_PATH: join(this.directory, 'audit-{slot}.log') })
    const [address] = await once(worker, 'listening')
    this.port = address.port
    return worker
  }

  startSome(count: number): Promise<Worker[]> {
    return Promise.all(Array.from({ length: count }, () => this.start()))
  }

  async stop(worker: Worker): Promise<void> {
    const exit = once(worker, 'exit')
    worker.send('stop')
    expect(await exit).toEqual([0, null])
  }

  /** The slots that are held, by the pid of the worker that holds each. */
  slots(): Map<number, number> {
    const slots = new Map<number, number>()
    for (const name of readdirSync(this.directory)) {
      const slot = /^audit-(\d+)\.log\.lock$/.exec(name)?.[1]
      if (slot === undefined) continue
      slots.set(JSON.parse(readFileSync(join(this.directory, name), 'utf8')).pid, Number(slot))
    }
    return slots
  }

  slotsOf(workers: readonly Worker[]): Array<number | undefined> {
    const slots = this.slots()
    return workers.map(({ process }) => slots.get(process.pid ?? 0)).sort()
  }

  /** Has clients ask one thing after another while `act` is under way. */
  async during(act: () => Promise<void>): Promise<void> {
    let isOver = false
    const client = async (): Promise<void> => {
      while (!isOver) await this.ask()
    }
    const clients = [client(), client(), client(), client()]
    try {
      await act()
    } finally {
      isOver = true
      await Promise.all(clients)
    }
  }

  /** Notes the answer, if one comes before its worker is killed. */
  private async ask(): Promise<void> {
    const number = ++this.last
    // A connection of its own, so that every worker gets some; one that Node hands to a worker that is being killed
    // gets neither an answer nor an end.
    const where = { host: '127.0.0.1', port: this.port, path: endpointOf(number) }
    const request = get({ ...where, agent: new Agent(), signal: AbortSignal.timeout(2000) })
    const status = await new Promise<number | undefined>((resolve) => {
      request.on('error', () => resolve(undefined))
      request.on('response', (response) => {
        response.on('error', () => resolve(undefined))
        response.on('end', () => resolve(response.statusCode)).resume()
      })
    })
    if (status !== undefined) this.answers.push({ number, status, code: undefined })
  }
}

/** The instances whose lines a file holds, each once: no two have written to it at the same time. */
function instancesOf(lines: readonly Line[]): string[] {
  const instances: string[] = []
  for (const { instance } of lines) if (instances.at(-1) !== instance) instances.push(instance)
  expect(new Set(instances).size).toBe(instances.length)
  return instances
}

it('gives each worker of a cluster a file of its own, through kills, respawns and overlapping restarts', async () => {
  const all = new Cluster(temporaryDirectory())
  let workers = await all.startSome(3)
  expect(all.slotsOf(workers)).toEqual([0, 1, 2])

  await all.during(async () => {
    for (const round of [0, 1, 2]) {
      const [victim, ...others] = workers
      const slot = all.slots().get(victim?.process.pid ?? 0)
      const exit = victim && once(victim, 'exit')
      victim?.process.kill('SIGKILL')
      await exit
      const respawned = await all.start()
      expect(all.slotsOf([respawned]), `the slot of the one that was killed in round ${round}`).toEqual([slot])
      workers = [...others, respawned]
    }
  })

  for (const slots of [
    [3, 4, 5],
    [0, 1, 2],
  ]) {
    await all.during(async () => {
      const next = await all.startSome(3)
      expect(all.slotsOf(next)).toEqual(slots)
      for (const worker of workers) await all.stop(worker)
      workers = next
    })
  }
  for (const worker of workers) await all.stop(worker)

  expect(all.slots().size).toBe(0)
  const trails = [0, 1, 2, 3, 4, 5].map((slot) => readTrail(join(all.directory, `audit-${slot}.log`)))
  const instances = trails.map((lines) => instancesOf(lines).length)
  // Three workers at first, one in the place of each that was killed, three in each of two restarts.
  expect(instances.reduce((sum, count) => sum + count)).toBe(3 + 3 + 3 + 3)
  expect(instances.slice(3)).toEqual([1, 1, 1])
  // A server that closes answers 503 by itself to what it has not begun; none is the sinks' doing.
  expect(all.answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([])
  expect(trails.flat().filter(({ payload }) => payload.type === 'gap')).toEqual([])
  expect(all.answers.filter(({ status }) => status === 200).length).toBeGreaterThan(100)
  expectRecorded(all.answers, trails.flat())
})
