import { connect } from 'node:http2'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit from '../../src/index.js'
import { NEVER, StagedSink, until } from '../support/staged-sink.js'
import { ask, requestBytes, Wire } from '../support/wire.js'
import { listen } from './runner.js'

const MAX_QUEUE = 60
const FLOOD = 200

interface Flooded {
  app: FastifyInstance
  sink: StagedSink
  port: number
  /** Lets the handlers of `/held` go on. */
  reply: () => void
}

/** Server whose queue has room for fewer records than the number of requests that one client sends. */
async function serve(factory: object = {}): Promise<Flooded> {
  const sink = new StagedSink()
  const app = Fastify(factory)
  onTestFinished(async () => {
    sink.recover()
    await app.close()
  })
  let reply = (): void => undefined
  const replied = new Promise<void>((resolve) => {
    reply = resolve
  })
  await app.register(audit, {
    closeTimeout: '400ms',
    sinks: [{ name: 'staged', sink, timeout: NEVER, maxQueue: MAX_QUEUE }],
  })
  app.get('/', async () => 'done')
  app.get('/held', async () => {
    await replied
    return 'done'
  })
  return { app, sink, port: await listen(app), reply }
}

function statusesIn(bytes: string): number[] {
  return [...bytes.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
}

async function flood(port: number, url = '/', count = FLOOD): Promise<Wire> {
  const wire = await Wire.open(port)
  wire.send(
    requestBytes({ url, headers: { connection: 'keep-alive' } })
      .toString()
      .repeat(count),
  )
  return wire
}

async function replies(wire: Wire, count = FLOOD): Promise<number[]> {
  return statusesIn(await wire.until((bytes) => statusesIn(bytes).length === count))
}

async function statusOf(port: number): Promise<number | undefined> {
  const [reply] = await ask(port, {})
  return reply?.status
}

function times(status: number, count: number): number[] {
  return Array.from({ length: count }, () => status)
}

describe('one connection that sends more requests at once than the queue has room for', () => {
  it('is answered, each request as if it were alone, and so are its neighbours', async () => {
    const { app, sink, port } = await serve()
    sink.received = 'is slow'
    sink.complete = 'is slow'
    const wire = await flood(port)
    await until(() => app.audit.stats().audited > 0)
    for (let count = 0; count < 20; count++) expect(await statusOf(port)).toBe(200)
    expect(await replies(wire)).toEqual(times(200, FLOOD))
    expect(app.audit.stats()).toMatchObject({ refused: 0, withheld: 0 })
    await app.audit.flush()
    expect(sink.trail().filter((line) => line === 'Complete 200')).toHaveLength(FLOOD + 20)
    await wire.leave()
  })

  it('has the outcomes of handlers that reply all at once stored', async () => {
    const { app, sink, port, reply } = await serve()
    const wire = await flood(port, '/held')
    await until(() => sink.trail().length === FLOOD)
    sink.complete = 'is slow'
    reply()
    expect(await statusOf(port)).toBe(200)
    expect(await replies(wire)).toEqual(times(200, FLOOD))
    expect(app.audit.stats()).toMatchObject({ refused: 0, withheld: 0 })
    await wire.leave()
  })

  it('leaves room for others while the sink stores nothing', async () => {
    const { app, sink, port } = await serve()
    sink.received = 'hangs'
    const wire = await flood(port)
    const neighbours = Array.from({ length: 10 }, () => statusOf(port))
    await until(() => app.audit.stats().audited === FLOOD + 10)
    expect(app.audit.stats()).toMatchObject({ refused: 0 })
    sink.recover()
    expect(await Promise.all(neighbours)).toEqual(times(200, 10))
    expect(await replies(wire)).toEqual(times(200, FLOOD))
    await wire.leave()
  })

  it('keeps no server from closing, with records whose turn has not come', async () => {
    const { app, sink, port } = await serve()
    sink.received = 'hangs'
    const wire = await flood(port)
    await until(() => app.audit.stats().audited === FLOOD)
    await wire.leave()
    await app.close()
    expect(app.audit.stats()).toMatchObject({ open: 0, refused: FLOOD })
  })

  it('over HTTP/2: all streams of one session', async () => {
    const { app, sink, port } = await serve({ http2: true })
    sink.received = 'is slow'
    sink.complete = 'is slow'
    const session = connect(`http://127.0.0.1:${port}`)
    const other = connect(`http://127.0.0.1:${port}`)
    const get = (from: typeof session): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = from.request({ ':path': '/' })
        stream.on('response', (headers) => resolve(Number(headers[':status']))).on('error', reject)
        stream.resume()
      })
    const flooding = Array.from({ length: FLOOD }, () => get(session))
    await until(() => app.audit.stats().audited > 0)
    for (let count = 0; count < 10; count++) expect(await get(other)).toBe(200)
    expect(await Promise.all(flooding)).toEqual(times(200, FLOOD))
    expect(app.audit.stats()).toMatchObject({ refused: 0, withheld: 0 })
    session.close()
    other.close()
  })
})
