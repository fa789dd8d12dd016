import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AuditOptions, type MemorySink, memorySink, type SinkStats } from '../../src/index.js'
import { type FaultySink, faultySink } from '../../src/testing.js'
import { gapOf } from '../support/lane.js'
import { validateLine } from '../support/schema.js'
import { NEVER, SOON, until } from '../support/staged-sink.js'

const REQUESTS = 100

interface Overflowing {
  app: FastifyInstance
  memory: MemorySink
  sink: FaultySink
  /** Errors that the server logged. */
  errors: Array<{ msg: string; stats?: SinkStats }>
  stats: () => SinkStats
}

async function serverOf(bounds: object, closeTimeout: AuditOptions['closeTimeout']): Promise<Overflowing> {
  const memory = memorySink()
  const sink = faultySink(memory)
  const errors: Overflowing['errors'] = []
  const logger = { level: 'error', stream: { write: (line: string) => void errors.push(JSON.parse(line)) } }
  const app: FastifyInstance = Fastify({ logger })
  onTestFinished(() => app.close())
  const sinks: AuditOptions['sinks'] = [
    { name: 'test', sink, deliveryGuarantee: 'best-effort', timeout: NEVER, ...bounds },
  ]
  await app.register(audit, { closeTimeout, sinks })
  app.get('/:number', async () => 'hello')
  await app.ready()
  await app.audit.flush()
  return { app, memory, sink, errors, stats: () => app.audit.stats().sinks.test ?? expect.fail('no such sink') }
}

/** Expects every request to be served, whatever the sink does. */
async function ask(app: FastifyInstance): Promise<void> {
  const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => app.inject(`/${index}`)))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: REQUESTS }, () => 200))
}

/** Expects each gap to count the numbers missing between its own two; returns their sum. */
function expectTrueGaps({ memory }: Overflowing): number {
  const present = new Set(memory.lines.map((line) => validateLine(line).seq))
  let told = 0
  for (const entry of memory.entries) {
    const gap = gapOf(entry)
    if (gap === undefined) continue
    let missing = 0
    for (let seq = gap.from; seq <= gap.to; seq++) if (!present.has(seq)) missing++
    expect(gap).toMatchObject({ lost: missing, in_doubt: 0 })
    told += missing
  }
  return told
}

const bounds = [
  { kind: 'entries', options: { maxQueue: 20 }, isWithin: ({ queued }: SinkStats) => queued <= 20 + REQUESTS },
  {
    kind: 'bytes',
    options: { maxQueueBytes: '20KiB' },
    isWithin: ({ queuedBytes }: SinkStats) => queuedBytes <= 20 * 1024,
  },
]

describe.each(bounds)('a best-effort sink that is given more $kind than it takes', ({ options, isWithin }) => {
  it('drops entries beyond the bounds, counts them, and reports them each time it works again', async () => {
    const world = await serverOf(options, NEVER)
    const { app, memory, sink, stats } = world
    for (let round = 1; round <= 3; round++) {
      sink.hang()
      const { batches } = stats()
      await app.inject('/0')
      // Nothing is lost before the sink hangs, so that one gap reports everything.
      await until(() => stats().batches > batches)
      await ask(app)
      await ask(app)
      expect(stats()).toSatisfy(isWithin)
      const { lost } = stats()
      expect(lost).toBeGreaterThan(round * REQUESTS)
      sink.recover()
      await app.audit.flush()
      expect(memory.entries.filter((entry) => gapOf(entry) !== undefined)).toHaveLength(round)
      expect(expectTrueGaps(world)).toBe(lost)
    }
    await app.close()
    const { offered, stored, lost, notStored, inDoubt } = stats()
    expect({ stored, notStored, inDoubt }).toEqual({ stored: memory.lines.length, notStored: lost, inDoubt: 0 })
    expect(offered).toBe(stored + lost)
    // Start, stop and three gaps.
    expect(offered).toBe(2 * (2 * REQUESTS + 1) * 3 + 5)
    expect(memory.entries.at(-1)?.event.payload).toMatchObject({ type: 'stop', stop: { lost } })
  })

  it('reports losses in the log when it hangs to the end, because the trail cannot', async () => {
    const world = await serverOf(options, SOON)
    const { app, memory, sink, errors, stats } = world
    sink.hang()
    await ask(app)
    sink.recover()
    await app.audit.flush()
    const told = expectTrueGaps(world)
    sink.hang()
    await ask(app)
    await app.close()

    const final = stats()
    expect(final).toMatchObject({ queued: final.inDoubt, queuedBytes: 0, stored: memory.lines.length })
    expect(final.offered).toBe(final.stored + final.lost + final.inDoubt)
    expect(final.lost).toBeGreaterThan(told)
    expect(expectTrueGaps(world)).toBe(told)
    const last = errors.at(-1)
    expect(last?.msg).toBe('audit sink "test" closed with entries not stored')
    expect(last?.stats).toMatchObject({ offered: final.offered, lost: final.lost, inDoubt: final.inDoubt })
  })
})
