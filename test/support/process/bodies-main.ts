/**
 * Measures the bytes of memory that are held while `COUNT` requests with bodies of `BYTES` bytes wait for a sink at a level:
 * `node --expose-gc --import tsx bodies-main.ts COUNT BYTES LEVEL`.
 */
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import audit from '../../../src/index.js'
import { StagedSink } from '../staged-sink.js'

const [count = 1, bytes = 1] = process.argv.slice(2, 4).map(Number)
const level = process.argv[4] === 'response' ? 'response' : 'metadata'
/** A body of many parts, so that as much of it is recorded as the bound allows. */
const body = JSON.stringify({ parts: Array.from({ length: bytes / 1000 }, (_, part) => `${part} `.padEnd(997, 'x')) })
const payload = Buffer.from(body)

/** Lets all handlers go on at once, when all have begun. */
class Barrier {
  private readonly waiting: Array<() => void> = []

  get isComplete(): boolean {
    return this.waiting.length === count
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  open(): void {
    for (const resolve of this.waiting) resolve()
  }
}

/** The memory that is held while every Complete waits. */
async function held(): Promise<number> {
  const sink = new StagedSink()
  const app = Fastify({ bodyLimit: 2 * bytes })
  await app.register(audit, { level, sinks: [{ name: 'staged', sink, timeout: '10m' }] })
  const barrier = new Barrier()
  app.post('/', async (_, sent) => {
    await barrier.wait()
    return sent.type('application/json').send(body)
  })
  await app.ready()
  const replies = Array.from({ length: count }, () =>
    app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload }),
  )
  while (!barrier.isComplete) await turn()
  sink.complete = 'hangs'
  barrier.open()
  while (app.audit.stats().sinks.staged?.queued !== count) await turn()
  const after = live()
  sink.recover()
  for (const { statusCode } of await Promise.all(replies)) {
    if (statusCode !== 200) throw new Error(`a request was answered with ${statusCode}`)
  }
  await app.close()
  return after
}

function live(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

process.stdout.write(`${await held()}\n`)
