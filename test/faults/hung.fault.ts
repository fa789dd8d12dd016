import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { memorySink, type SinkStats } from '../../src/index.js'
import { faultySink } from '../../src/testing.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { turns, until } from '../support/staged-sink.js'
import { expectCounted, readTrail } from './books.js'
import type { HungFiles } from './hung-files.js'

const REQUESTS = 10_000
/** After so many everything that grows once has grown. */
const WARM_UP = 2000
const WAVE = 100
const MAX_QUEUE = 500
const MAX_BYTES = 256 * 1024
/** Without bounds the entries alone of 8,000 requests are more. */
const GROWTH = 4 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

describe('10,000 requests to a server whose sink hangs', () => {
  it.each(['enforced', 'best-effort'] as const)('are held in bounded memory (%s)', async (deliveryGuarantee) => {
    const memory = memorySink()
    const sink = faultySink(memory)
    const app: FastifyInstance = Fastify()
    onTestFinished(() => app.close())
    const bounds = { maxQueue: MAX_QUEUE, maxQueueBytes: MAX_BYTES }
    await app.register(audit, { sinks: [{ name: 'hung', sink, deliveryGuarantee, timeout: '200ms', ...bounds }] })
    app.get('/jobs/:number', async (request) => request.url)
    const stats = (): SinkStats => app.audit.stats().sinks.hung ?? expect.fail('no such sink')
    await app.ready()
    await app.audit.flush()

    sink.hang()
    let inFlight = 0
    let warm = 0
    for (let sent = 0; sent < REQUESTS; sent += WAVE) {
      if (sent === WARM_UP) warm = heap()
      const wave = Array.from({ length: WAVE }, (_, index) => app.inject(`/jobs/${sent + index}`))
      const statuses = (await Promise.all(wave)).map(({ statusCode }) => statusCode)
      // Nothing of this makes the event loop turn, without which Node keeps what `inject` made.
      await turns(1)
      expect(new Set(statuses)).toEqual(new Set([deliveryGuarantee === 'enforced' ? 503 : 200]))
      const { queued, queuedBytes } = stats()
      if (sent === 0) inFlight = queued
      expect(queued - inFlight).toBeLessThanOrEqual(MAX_QUEUE)
      expect(queuedBytes).toBeLessThanOrEqual(MAX_BYTES)
    }
    expect(heap() - warm).toBeLessThan(GROWTH)
    expect(stats().batches).toBe(2)

    sink.recover()
    await until(() => stats().healthy)
    expect((await app.inject('/jobs/after')).statusCode).toBe(200)
    await app.close()
    const { offered } = stats()
    expectCounted(
      memory.entries.map(({ event }) => event),
      stats(),
    )
    // Start, stop and gaps are beside the two records of each.
    expect(offered).toBeGreaterThanOrEqual(2 * REQUESTS)
  })
})

function heap(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

describe('two file sinks on disks that hang', () => {
  it("hold one of libuv's threads each, so that DNS goes on, and recover without a restart", async () => {
    const directory = temporaryDirectory()
    const child = fork(fileURLToPath(new URL('./hung-files.ts', import.meta.url)), [directory], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '4' },
    })
    // One that hangs for good does not end by itself.
    onTestFinished(() => void child.kill('SIGKILL'))
    const result = await new Promise<HungFiles>((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
    })
    expect(result).toEqual({
      before: 200,
      // Every thread is needed once only: each sink has one call outstanding, whatever is asked of it.
      whileHung: [503],
      outstanding: [1, 1],
      lookups: 20,
      // With all four threads taken, a lookup must wait: so it does need one.
      withoutThreads: 'waits',
      after: 200,
      stats: result.stats,
    })
    for (const [name, stats] of Object.entries(result.stats)) {
      expectCounted(readTrail(`${directory}/${name}.log`), stats)
    }
  })
})
