import { join } from 'node:path'
import { mock } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import audit, { type AuditOptions, type MemorySink, memorySink, readTrail } from '../src/index.js'
import { temporaryDirectory } from './sinks/file/world.js'
import { portOf } from './support/app.js'
import { read, sources } from './support/markdown.js'
import { validateLine } from './support/schema.js'
import { ask } from './support/wire.js'

const FROZEN = Date.UTC(2031, 4, 6, 7, 8, 9)
const FROZEN_TEXT = '2031-05-06T07:08:09.000Z'

type FakedByVitest = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>['toFake']

const FAKED: FakedByVitest = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate']
/** Fastify's own boot needs `queueMicrotask`, and Node's streams `process.nextTick`. */
const ALSO_FAKED: FakedByVitest = ['clearImmediate', 'performance', 'hrtime', 'Date']

/** Ways to replace timers with mocks that fire when the test says so, which it never does here. */
const MOCKS: Array<[name: string, replace: () => void]> = [
  ['mock.timers of node:test', () => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] })],
  [
    'mock.timers of node:test, Date too',
    () => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: FROZEN }),
  ],
  ["vitest's fake timers", () => void vi.useFakeTimers({ now: FROZEN })],
  ["vitest's fake timers, all of them", () => void vi.useFakeTimers({ toFake: [...FAKED, ...ALSO_FAKED] })],
]

afterEach(() => {
  mock.timers.reset()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A server whose closing would outlast the test if it waited for what no mock fires. */
async function serve(sinks: NonNullable<AuditOptions['sinks']>): Promise<FastifyInstance> {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { closeTimeout: '60s', sinks })
  app.get('/', async () => 'hello')
  return app
}

const stages = (sink: MemorySink) => sink.events.map(({ payload }) => payload.stage)

describe.each(MOCKS)('with %s', (_, replace) => {
  it('that came before the registration, a request is answered, recorded in a file, and the server closes', async () => {
    replace()
    const path = join(temporaryDirectory(), 'audit.log')
    const app = await serve([{ name: 'file', type: 'file', path, deliveryGuarantee: 'enforced' }])
    expect((await ask(await portOf(app), {}))[0]).toMatchObject({ status: 200, body: 'hello' })
    await app.close()
    const statuses: unknown[] = []
    for await (const exchange of readTrail(path)) statuses.push(exchange.response?.status_code)
    expect(statuses).toEqual([200])
  })

  it('that came before the first request, a request is answered, recorded in memory, and the server closes', async () => {
    const sink = memorySink()
    const app = await serve([{ name: 'memory', sink, deliveryGuarantee: 'enforced' }])
    const port = await portOf(app)
    replace()
    expect((await ask(port, {}))[0]).toMatchObject({ status: 200, body: 'hello' })
    await app.close()
    expect(stages(sink)).toEqual(['OperationReceived', 'OperationComplete'])
  })

  it('a sink that hangs is overdue, and the request is refused', async () => {
    const sink = memorySink()
    const app = await serve([{ name: 'memory', sink, deliveryGuarantee: 'enforced', timeout: '20ms' }])
    const port = await portOf(app)
    replace()
    sink.hang()
    expect((await ask(port, {}))[0]?.status).toBe(503)
    sink.recover()
  })
})

describe('a Date that a test has set', () => {
  it('is the time of the records; durations are real ones', async () => {
    const sink = memorySink()
    const app = await serve([{ name: 'memory', sink }])
    vi.useFakeTimers({ now: FROZEN, toFake: ['Date', 'performance'] })
    await app.inject('/')
    await app.audit.flush()
    expect(sink.events.map(({ payload }) => payload.timestamp)).toEqual([FROZEN_TEXT, FROZEN_TEXT])
    expect(sink.events[1]?.payload.response?.duration_ms).toBeGreaterThan(0)
  })

  it.each([
    ['not a number', () => void vi.spyOn(Date, 'now').mockReturnValue(Number.NaN)],
    ['nothing', () => void vi.spyOn(Date, 'now').mockImplementation(vi.fn())],
    ['beyond what a timestamp can say', () => void vi.spyOn(Date, 'now').mockReturnValue(1e15)],
    ['before all times', () => void vi.spyOn(Date, 'now').mockReturnValue(-1)],
    ['not there', () => void Object.assign(Date, { now: undefined })],
  ])('and is %s, is not used', async (_, replace) => {
    const { now } = Date
    onTestFinished(() => void Object.assign(Date, { now }))
    const sink = memorySink()
    const app = await serve([{ name: 'memory', sink, deliveryGuarantee: 'enforced' }])
    await app.ready()
    replace()
    expect((await app.inject('/')).statusCode).toBe(200)
    Object.assign(Date, { now })
    expect(stages(sink)).toEqual(['OperationReceived', 'OperationComplete'])
    for (const line of sink.lines) validateLine(line)
  })
})

it('no source asks for `process.nextTick` but the one that takes it, as the linter holds it of the globals', () => {
  const asking = sources().filter((file) => read(file).includes('process.nextTick'))
  expect(asking).toEqual([])
})
