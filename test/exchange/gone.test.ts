import { connect } from 'node:http2'
import type { FastifyReply } from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES } from './oracle.js'
import { deferred, type Served, serve } from './server.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** Longer than a test may take, so that a test that waits for it fails. */
const NEVER = '10m'

const TRANSPORTS = [
  { name: 'HTTP/1.1', factory: {}, leave: leaveHttp1 },
  { name: 'HTTP/2', factory: { http2: true }, leave: leaveHttp2 },
]

async function leaveHttp1(port: number, isRunning: Promise<void>): Promise<void> {
  const wire = await Wire.open(port)
  wire.send(requestBytes({}))
  await isRunning
  await wire.leave('reset')
}

async function leaveHttp2(port: number, isRunning: Promise<void>): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => undefined)
  const isClosed = new Promise((resolve) => stream.once('close', resolve))
  await isRunning
  stream.destroy()
  await isClosed
  await new Promise<void>((resolve) => session.close(resolve))
}

describe.each(TRANSPORTS)('over $name', ({ factory, leave }) => {
  expectNothingUncaught()

  const serveHandler = (
    deliveryGuarantee: 'enforced' | 'best-effort',
    handle: (reply: FastifyReply) => void,
  ): Promise<Served> =>
    serve({
      factory,
      deliveryGuarantee,
      options: { closeTimeout: NEVER, abortTimeout: NEVER },
      declare: (app) => app.get('/', (_, reply) => handle(reply)),
    })

  it.each(GUARANTEES)('a response that its handler destroys is recorded at once (%s)', async (guarantee) => {
    const running = deferred()
    const served = await serveHandler(guarantee, (reply) => {
      reply.raw.destroy()
      running.resolve()
    })
    await leave(served.port, running.promise)
    await until(() => served.sink.trail().length === 2)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted'])
    expect(served.app.audit.stats()).toMatchObject({ open: 0, aborted: 1 })
  })

  it.each(GUARANTEES)('a closing server does not wait for a client that is gone (%s)', async (guarantee) => {
    const running = deferred()
    const served = await serveHandler(guarantee, () => running.resolve())
    await leave(served.port, running.promise)
    await served.app.close()
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted'])
  })
})

describe('pipelined requests whose client leaves', () => {
  expectNothingUncaught()

  // Newer releases of Node destroy by themselves the responses whose turn has not come.
  it.each(GUARANTEES)('are recorded with what their handlers reply (%s)', async (deliveryGuarantee) => {
    let running = 0
    const served = await serve({
      deliveryGuarantee,
      options: { closeTimeout: NEVER, abortTimeout: NEVER },
      declare: (app) =>
        app.get('/', async ({ raw }, reply) => {
          running++
          await until(() => raw.socket.destroyed)
          reply.raw.destroy()
          await turns(2)
          return 'done'
        }),
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ headers: { connection: 'keep-alive' } }).repeat(3))
    await until(() => running === 3)
    await wire.leave('reset')
    await until(() => served.sink.trail().length === 6)
    const completes = served.sink.trail().filter((line) => line !== 'Received')
    expect(completes).toEqual(Array(3).fill('Complete aborted 200'))
  })
})

describe('a request whose client leaves before Received is stored', () => {
  expectNothingUncaught()

  it('is recorded with what its handler replies, however long the sink took', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const running = deferred()
    const replied = deferred()
    const served = await serve({
      options: { abortTimeout: '1m' },
      declare: (app) =>
        app.get('/', async () => {
          running.resolve()
          await replied.promise
          return 'done'
        }),
    })
    served.sink.received = 'hangs'
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await until(() => served.sink.isHanging)
    await wire.leave('reset')
    await vi.advanceTimersByTimeAsync(120_000)
    served.sink.recover()
    await running.promise
    await vi.advanceTimersByTimeAsync(2000)
    replied.resolve()
    await until(() => served.sink.trail().length === 2)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 200'])
  })
})

describe('an HTTP/2 upload without a length that its client resets', () => {
  expectNothingUncaught()

  it.each(['ends it first', 'does not end it'])('is recorded as aborted, when the client %s', async (how) => {
    const served = await serve({
      factory: { http2: true },
      declare: (app) => app.post('/', async () => 'ok'),
    })
    const session = connect(`http://127.0.0.1:${served.port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'text/plain' })
    stream.on('error', () => undefined)
    stream.write('half of it')
    await until(() => served.sink.trail().length === 1)
    // Node's own client ends an upload before it closes its stream.
    if (how === 'ends it first') stream.close(8)
    else stream.destroy()
    await until(() => served.sink.trail().length === 2)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 200'])
    await new Promise<void>((resolve) => session.close(resolve))
  })
})
