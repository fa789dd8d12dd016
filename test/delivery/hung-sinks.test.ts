import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import audit, {
  type AuditOptions,
  type AuditSink,
  memorySink,
  type SinkOptions,
  type SinkStats,
} from '../../src/index.js'
import { faultySink } from '../../src/testing.js'
import { gapOf } from '../support/lane.js'
import { NEVER, SOON, StagedSink, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'

/** A server that does not wait for its sinks when it closes: some hang to the end. */
function serverOf(...sinks: SinkOptions[]): Promise<FastifyInstance> {
  return serverWith({ closeTimeout: SOON, sinks })
}

async function serverWith(options: AuditOptions): Promise<FastifyInstance> {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, options)
  app.get('/', async () => 'hello')
  await app.ready()
  await app.audit.flush()
  return app
}

const statusOf = async (app: FastifyInstance): Promise<number> => (await app.inject('/')).statusCode

const statsOf = (app: FastifyInstance, name: string): SinkStats => {
  const stats = app.audit.stats().sinks[name]
  if (stats === undefined) throw new Error(`there is no sink ${name}`)
  return stats
}

describe('a sink that hangs', () => {
  expectNothingUncaught()

  it('is given up after its timeout; from then on requests are refused at once, with one call outstanding', async () => {
    const sink = memorySink()
    const write = vi.spyOn(sink, 'write')
    const app = await serverOf({ name: 'hung', sink, timeout: SOON })
    sink.hang()
    const calls = write.mock.calls.length
    expect(await statusOf(app)).toBe(503)
    expect(app.audit.healthy).toBe(false)
    const { batches, queued } = statsOf(app, 'hung')
    // If they waited for the sink, which never answers, they would wait for ever.
    const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(app)))
    expect(new Set(statuses)).toEqual(new Set([503]))
    expect(statsOf(app, 'hung')).toMatchObject({ batches, queued, inDoubt: 1 })
    expect(write.mock.calls.length - calls).toBe(1)
  })

  it('delays no other: best-effort beside enforced is not waited for', async () => {
    const hung = faultySink(memorySink())
    const works = memorySink()
    const app = await serverOf(
      { name: 'hung', sink: hung, deliveryGuarantee: 'best-effort', timeout: NEVER, maxQueue: 10 },
      { name: 'works', sink: works, timeout: NEVER },
    )
    hung.hang()
    for (let index = 0; index < 100; index++) expect(await statusOf(app)).toBe(200)
    expect(works.events).toHaveLength(200)
    expect(statsOf(app, 'hung').queued).toBeLessThan(20)
    expect(app.audit.healthy).toBe(true)
  })

  it('delays no other: an enforced one beside it has its records while requests wait for the one that hangs', async () => {
    const hung = faultySink(memorySink())
    const works = memorySink()
    const app = await serverOf(
      { name: 'hung', sink: hung, timeout: NEVER },
      { name: 'works', sink: works, timeout: NEVER },
    )
    hung.hang()
    const answers = Array.from({ length: 100 }, () => statusOf(app))
    await until(() => works.events.length === 100)
    expect(statsOf(app, 'works')).toMatchObject({ healthy: true, queued: 0 })
    hung.recover()
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]))
  })

  it.each(['hang', 'fail'] as const)('recovers without traffic when it is told to %s no longer', async (fault) => {
    const sink = faultySink(memorySink())
    const app = await serverOf({ name: 'test', sink, timeout: SOON })
    sink[fault]()
    expect(await statusOf(app)).toBe(503)
    expect(app.audit.healthy).toBe(false)
    sink.recover()
    await until(() => app.audit.healthy)
    expect(await statusOf(app)).toBe(200)
  })

  it('does not keep a reopening from coming to an end when the server closes', async () => {
    const sink: AuditSink = {
      write: async () => undefined,
      reopen: () => new Promise(() => undefined),
    }
    const app = await serverOf({ name: 'hung', sink, timeout: NEVER })
    const reopened = app.audit.reopen()
    await Promise.all([
      expect(reopened).rejects.toMatchObject({
        code: 'FST_AUDIT_SINK_TIMEOUT',
        message: expect.stringContaining('"hung"'),
      }),
      app.close(),
    ])
  })
})

interface Row {
  stage: 'received' | 'complete'
  guarantee: 'enforced' | 'best-effort'
  end: 'stored' | 'not stored' | 'never known'
  status: number
  trail: string[]
  stats: Partial<SinkStats>
}

const REFUSED = 'Complete 503 (FST_AUDIT_NOT_RECORDED)'
const WITHHELD = 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'
const none = { notStored: 0, inDoubt: 0, lost: 0 }

const rows: Row[] = [
  { stage: 'received', guarantee: 'enforced', end: 'stored', status: 503, trail: ['Received', REFUSED], stats: none },
  {
    stage: 'received',
    guarantee: 'enforced',
    end: 'not stored',
    status: 503,
    trail: [REFUSED],
    // Its request was refused, so nothing is lost.
    stats: { ...none, notStored: 1 },
  },
  {
    stage: 'complete',
    guarantee: 'enforced',
    end: 'stored',
    status: 500,
    trail: ['Received', 'Complete 200', WITHHELD],
    stats: none,
  },
  {
    stage: 'complete',
    guarantee: 'enforced',
    end: 'not stored',
    status: 500,
    trail: ['Received', 'gap of 1', WITHHELD],
    stats: { ...none, notStored: 1, lost: 1 },
  },
  {
    stage: 'complete',
    guarantee: 'best-effort',
    end: 'stored',
    status: 200,
    trail: ['Received', 'Complete 200'],
    stats: none,
  },
  {
    stage: 'complete',
    guarantee: 'best-effort',
    end: 'not stored',
    status: 200,
    // Nobody waited between the two, so that they are of one batch.
    trail: ['gap of 2'],
    stats: { ...none, notStored: 2, lost: 2 },
  },
  {
    stage: 'received',
    guarantee: 'enforced',
    end: 'never known',
    status: 503,
    trail: [],
    // The stop entry is lost; the record of the refusal waits for the Received, which may still come.
    stats: { notStored: 1, inDoubt: 1, lost: 1 },
  },
]

describe('a write in doubt', () => {
  expectNothingUncaught()

  it.each(rows)('is accounted for ($guarantee, $stage, $end)', async (row) => {
    const sink = new StagedSink()
    const app = await serverWith({
      closeTimeout: row.end === 'never known' ? SOON : NEVER,
      sinks: [{ name: 'test', sink, deliveryGuarantee: row.guarantee, timeout: SOON }],
    })
    sink[row.stage] = 'hangs'
    expect(await statusOf(app)).toBe(row.status)
    await until(() => statsOf(app, 'test').inDoubt > 0)
    if (row.end === 'stored') sink.recover()
    else if (row.end === 'not stored') sink.giveUp()
    if (row.end !== 'never known') await until(() => statsOf(app, 'test').inDoubt === 0)
    await app.close()
    expect(wordsOf(sink)).toEqual(row.trail)
    const stats = statsOf(app, 'test')
    expect(stats).toMatchObject(row.stats)
    expect(stats.offered).toBe(stats.stored + stats.notStored + stats.inDoubt)
  })
})

/** The trail's records of the requests, with its gaps in their places. */
function wordsOf(sink: StagedSink): string[] {
  const words = sink.trail()
  for (const [index, entry] of sink.stored.entries()) {
    const gap = gapOf(entry)
    if (gap === undefined) continue
    const before = sink.stored.slice(0, index).filter(({ event }) => !['start', 'gap'].includes(event.payload.type))
    words.splice(before.length, 0, `gap of ${gap.lost + gap.in_doubt}`)
  }
  return words
}
