import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import audit, { type MemorySink, memorySink, type SinkStats } from '../../src/index.js'
import type { Guarantee } from '../exchange/oracle.js'
import { StagedSink, turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** Milliseconds; the sinks' own timeout is longer than any server takes to close. */
const CLOSE_TIMEOUT = 1000

/** Line that is logged about a sink after its server has closed. */
interface Said {
  msg: string
  sink: string
  stats: SinkStats
}

interface Served {
  app: FastifyInstance
  /** Sink that can hang. */
  sink: StagedSink
  /** Sink that works. */
  other: MemorySink
  logged: Said[]
}

/** Server with a clock that is moved by hand. */
async function server(deliveryGuarantee: Guarantee): Promise<Served> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const sink = new StagedSink()
  const other = memorySink()
  const logged: Said[] = []
  const stream = { write: (line: string): void => void logged.push(JSON.parse(line)) }
  const app: FastifyInstance = Fastify({ logger: { level: 'error', stream } })
  await app.register(audit, {
    closeTimeout: `${CLOSE_TIMEOUT}ms`,
    sinks: [
      { name: 'hung', sink, deliveryGuarantee, timeout: '10m' },
      { name: 'other', sink: other, deliveryGuarantee: 'best-effort' },
    ],
  })
  app.get('/', async () => 'done')
  await app.ready()
  await app.audit.flush()
  return { app, sink, other, logged }
}

/** Closes the server, and expects it to take its whole time, because it waits for something, and no longer. */
async function expectClosedInTime(app: FastifyInstance): Promise<void> {
  let isClosed = false
  const closed = app.close().then(() => {
    isClosed = true
  })
  await pass(CLOSE_TIMEOUT - 1)
  expect(isClosed).toBe(false)
  await pass(1)
  expect(isClosed).toBe(true)
  await closed
}

async function pass(milliseconds: number): Promise<void> {
  // Fastify's own closing takes some turns before the plugin's time begins.
  await turns(50)
  await vi.advanceTimersByTimeAsync(milliseconds)
  await turns(50)
}

/** Returns the last logged counts of the hung sink; expects `stats()` to agree and every number to have a fate. */
function expectAccount({ app, logged }: Served, fates: Partial<SinkStats>): void {
  const stats = app.audit.stats().sinks.hung
  const { offered = 0, stored = 0, notStored = 0, inDoubt = 0 } = stats ?? {}
  expect(stats).toMatchObject({ ...fates, healthy: false })
  expect(offered).toBe(stored + notStored + inDoubt)
  const said = logged.filter(({ msg }) => msg.includes('closed with entries not stored'))
  expect(said).toMatchObject([{ sink: 'hung', stats: fates }])
}

describe('a server that closes while its sink hangs', () => {
  expectNothingUncaught()

  it('ends within closeTimeout, refuses what is not recorded, and says what it does not know', async () => {
    const served = await server('enforced')
    const { app, sink } = served
    sink.received = 'hangs'
    const answers = [app.inject('/'), app.inject('/')]
    await until(() => app.audit.stats().open === 2)
    await expectClosedInTime(app)
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode)).toEqual([503, 503])
    // Entries: the start, and the stop, which is lost.
    expectAccount(served, { stored: 1, inDoubt: 2, lost: 1 })
  })

  it('ends within closeTimeout, and withholds the replies whose outcome is not recorded', async () => {
    const served = await server('enforced')
    const { app, sink } = served
    sink.complete = 'hangs'
    const answers = [app.inject('/'), app.inject('/')]
    await until(() => app.audit.stats().open === 2)
    await expectClosedInTime(app)
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode)).toEqual([500, 500])
    expectAccount(served, { stored: 3, inDoubt: 2, lost: 1 })
  })

  it('ends within closeTimeout, and says what was served without a record (best-effort)', async () => {
    const served = await server('best-effort')
    const { app, sink } = served
    sink.received = 'hangs'
    await app.inject('/')
    await until(() => app.audit.stats().sinks.hung?.batches === 2)
    for (let count = 0; count < 10; count++) expect((await app.inject('/')).statusCode).toBe(200)
    await expectClosedInTime(app)
    // Entries: the hanging one, those queued after it, and the stop.
    expectAccount(served, { stored: 1, inDoubt: 2, lost: 20 + 1 })
  })

  it('does not begin work that it has cut off, even if its beginning is stored then', async () => {
    const { app, sink } = await server('enforced')
    sink.received = 'hangs'
    let runs = 0
    const work = app.audit.run({ action: 'a' }, () => runs++).catch((error: unknown) => Object(error).code)
    await until(() => sink.isHanging)
    const closed = app.close()
    // The server no longer waits for what is open.
    await pass(0.76 * CLOSE_TIMEOUT)
    sink.recover()
    expect(await work).toBe('FST_AUDIT_NOT_RECORDED')
    await pass(1)
    await closed
    expect(runs).toBe(0)
    const records = sink.stored.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
    expect(records).toMatchObject([
      { stage: 'OperationReceived' },
      { stage: 'OperationComplete', outcome: 'failure', error: 'FST_AUDIT_NOT_RECORDED' },
    ])
  })

  it('says that the stop is missing when there was nothing else to store', async () => {
    const served = await server('enforced')
    Object.assign(served.sink, { idle: () => new Promise(() => undefined) })
    await expectClosedInTime(served.app)
    expectAccount(served, { stored: 1, inDoubt: 0, lost: 1 })
  })

  it('tells the sink beside it what was answered, before that one stops', async () => {
    const { app, sink, other } = await server('enforced')
    sink.received = 'hangs'
    const refused = app.inject('/')
    await until(() => app.audit.stats().sinks.hung?.batches === 2)
    await expectClosedInTime(app)
    expect((await refused).statusCode).toBe(503)
    expect(inTrail(other)).toMatchObject([{ type: 'start' }, RECEIVED, complete(503), STOP])
  })

  it('corrects what the sink beside it was told, before that one stops', async () => {
    const { app, sink, other } = await server('enforced')
    sink.complete = 'hangs'
    const withheld = app.inject('/')
    await until(() => app.audit.stats().sinks.hung?.batches === 3)
    await expectClosedInTime(app)
    expect((await withheld).statusCode).toBe(500)
    const correction = { type: 'correction', correction: { status_code: 500 } }
    expect(inTrail(other)).toMatchObject([{ type: 'start' }, RECEIVED, complete(200), correction, STOP])
  })
})

const RECEIVED = { stage: 'OperationReceived' }
const STOP = { type: 'stop', stop: { lost: 0, in_doubt: 0, open: 1 } }

function complete(status: number): object {
  return { stage: 'OperationComplete', response: { status_code: status } }
}

function inTrail(sink: MemorySink): object[] {
  return sink.entries.map(({ event }) => event.payload)
}

describe('a server that closes after its sink hung', () => {
  expectNothingUncaught()

  it('says what was lost in a gap, and in the stop entry after it', async () => {
    const { app, sink } = await server('best-effort')
    sink.received = 'hangs'
    await app.inject('/')
    await until(() => app.audit.stats().sinks.hung?.batches === 2)
    sink.giveUp()
    await app.close()
    expect(sink.stored.map(({ event: { payload } }) => payload.type)).toEqual(['start', 'gap', 'stop'])
    expect(sink.stored.map(({ event: { payload } }) => payload).slice(1)).toMatchObject([
      { gap: { lost: 2, in_doubt: 0, from: 2, to: 3 } },
      { stop: { stored: 2, lost: 2, in_doubt: 0, open: 0 } },
    ])
  })
})
