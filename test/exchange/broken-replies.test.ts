import { connect, constants } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { PassThrough } from 'node:stream'
import Fastify, { type FastifyRequest } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AuditOptions } from '../../src/index.js'
import { SOON, StagedSink, turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES } from './oracle.js'
import { listen } from './runner.js'
import { deferred, serve, trailOf } from './server.js'

/** More than the buffers of a connection take. */
const LARGE = Buffer.alloc(32 * 1024 * 1024, 'a')

/** Connects, asks, and reads nothing. */
async function askAndNotRead(port: number, text = requestBytes({})) {
  const socket = connectTcp({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined).pause()
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return socket
}

describe.each(GUARANTEES)('a large whole reply (%s)', (deliveryGuarantee) => {
  expectNothingUncaught()

  it('that its client leaves in the middle is aborted', async () => {
    const served = await serve({ deliveryGuarantee, declare: (app) => app.get('/', async () => LARGE) })
    const socket = await askAndNotRead(served.port)
    await until(() => served.app.audit.stats().running === 1)
    socket.resetAndDestroy()
    await until(() => served.app.audit.stats().ended === 1)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
    expect(served.sink.ends()).toEqual(['aborted'])
    // Its bytes were handed over at once, before anything could be counted; Fastify 5.0 hands the head over first.
    expect(served.sink.endPayloads()[0]?.end.bytes_sent).not.toBe(0)
  })

  it('that its client reads has no end', async () => {
    const served = await serve({ deliveryGuarantee, declare: (app) => app.get('/', async () => LARGE) })
    const [reply] = await ask(served.port, {})
    expect(reply?.isWhole).toBe(true)
    await until(() => served.app.audit.stats().running === 0)
    await served.app.audit.flush()
    expect(served.sink.ends()).toEqual([])
  })

  it('whose turn on its connection never comes is aborted', async () => {
    const isAsked = deferred()
    const served = await serve({
      deliveryGuarantee,
      options: { abortTimeout: SOON },
      declare: (app) => {
        app.get('/first', (_, reply) => {
          isAsked.resolve()
          reply.hijack()
        })
        app.get('/second', async () => 'whole')
      },
    })
    const headers = { connection: 'keep-alive' }
    const text = requestBytes({ url: '/first', headers }) + requestBytes({ url: '/second', headers })
    const socket = await askAndNotRead(served.port, text)
    await until(() => served.app.audit.stats().running === 1)
    socket.resetAndDestroy()
    await until(() => served.app.audit.stats().ended === 1)
    await served.app.audit.flush()
    expect(served.sink.ends()).toEqual(['aborted'])
  })

  it('over HTTP/2 that its client resets is aborted', async () => {
    const served = await serve({
      deliveryGuarantee,
      factory: { http2: true },
      declare: (app) => app.get('/', async () => LARGE),
    })
    const session = connect(`http://127.0.0.1:${served.port}`)
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    await new Promise((resolve) => stream.once('response', resolve))
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => served.app.audit.stats().ended === 1)
    await served.app.audit.flush()
    expect(served.sink.ends()).toEqual(['aborted'])
    session.destroy()
  })

  it('over HTTP/2 whose connection is lost is aborted', async () => {
    const served = await serve({
      deliveryGuarantee,
      factory: { http2: true },
      declare: (app) => app.get('/', async () => LARGE),
    })
    const session = connect(`http://127.0.0.1:${served.port}`)
    session.on('error', () => undefined)
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    await new Promise((resolve) => stream.once('response', resolve))
    session.destroy()
    await until(() => served.app.audit.stats().ended === 1)
    await served.app.audit.flush()
    expect(served.sink.ends()).toEqual(['aborted'])
  })
})

describe('a whole reply', () => {
  expectNothingUncaught()

  it.each([
    ['HTTP/1.1', {}],
    ['HTTP/2', { http2: true }],
  ] as const)('that is small is not followed (%s)', async (_, factory) => {
    const served = await serve({ factory, declare: (app) => app.get('/', async () => 'small') })
    const session = 'http2' in factory ? connect(`http://127.0.0.1:${served.port}`) : null
    let mostRunning = 0
    const onceMore = async (): Promise<void> => {
      if (session === null) {
        await ask(served.port, {})
        return
      }
      const stream = session.request({ ':path': '/' })
      stream.resume()
      await new Promise((resolve) => stream.once('close', resolve))
    }
    for (let count = 0; count < 5; count++) {
      await onceMore()
      mostRunning = Math.max(mostRunning, served.app.audit.stats().running)
      await turns(3)
    }
    session?.close()
    expect({ mostRunning, ends: served.sink.ends() }).toEqual({ mostRunning: 0, ends: [] })
  })

  it('whose client left while its Complete was being stored is aborted', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'small') })
    served.sink.complete = 'hangs'
    const accepted = new Promise<{ closed: boolean }>((resolve) => served.app.server.once('connection', resolve))
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await until(() => served.sink.isHanging)
    const socket = await accepted
    await wire.leave('reset')
    await until(() => socket.closed)
    await turns(2)
    served.sink.recover()
    await until(() => served.app.audit.stats().ended === 1)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
    expect(served.sink.ends()).toEqual(['aborted'])
  })

  it('whose Complete says that its client had left has no end', async () => {
    const replied = deferred()
    const running = deferred<FastifyRequest>()
    const served = await serve({
      declare: (app) =>
        app.get('/', async (request) => {
          running.resolve(request)
          await replied.promise
          return LARGE
        }),
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    const { raw } = await running.promise
    await wire.leave('reset')
    await until(() => raw.socket.closed)
    await turns(2)
    replied.resolve()
    await until(() => served.sink.trail().length === 2)
    await turns(5)
    await served.app.audit.flush()
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 200'])
    expect(served.sink.ends()).toEqual([])
  })
})

/** A server whose stream is failed by the test, with the sinks and filters of a row. */
async function failStream(options: Omit<AuditOptions, 'sinks'>, sinks: AuditOptions['sinks'], fail = 'no more') {
  const app = Fastify()
  await app.register(audit, { closeTimeout: '200ms', ...options, sinks })
  const source = new PassThrough()
  source.on('error', () => undefined)
  app.get('/', (_, reply) => reply.code(201).send(source))
  onTestFinished(async () => {
    await app.close()
  })
  const wire = await Wire.open(await listen(app))
  wire.send(requestBytes({}))
  source.write('first ')
  await wire.until((bytes) => bytes.includes('first'))
  source.destroy(new Error(fail))
  await wire.closed()
  await until(() => app.audit.stats().running === 0)
  await app.audit.flush()
  return app
}

const statuses = [{ endpoints: ['*'], stages: ['OperationComplete' as const], operations: ['*'], statuses: ['2xx'] }]
const complete = [{ endpoints: ['*'], stages: ['OperationComplete' as const], operations: ['*'] }]

describe('the end of a broken reply', () => {
  expectNothingUncaught()

  it('goes to the sinks that record its Complete, and to no other', async () => {
    const sinks = { all: new StagedSink(), without2xx: new StagedSink(), withoutComplete: new StagedSink() }
    await failStream({}, [
      { name: 'all', sink: sinks.all },
      { name: 'without2xx', sink: sinks.without2xx, filters: statuses },
      { name: 'withoutComplete', sink: sinks.withoutComplete, deliveryGuarantee: 'best-effort', filters: complete },
    ])
    expect(sinks.all.trail()).toEqual(['Received', 'Complete 201'])
    expect(sinks.all.ends()).toEqual(['failed (no more)'])
    for (const sink of [sinks.without2xx, sinks.withoutComplete]) {
      expect(sink.trail()).toEqual(['Received'])
      expect(sink.ends()).toEqual([])
    }
  })

  it.each(GUARANTEES)('counts as lost if it is not stored (%s)', async (deliveryGuarantee) => {
    const sink = new StagedSink()
    sink.end = 'fails'
    const app = await failStream({}, [{ name: 'staged', sink, deliveryGuarantee }])
    expect(sink.trail()).toEqual(['Received', 'Complete 201'])
    expect(app.audit.stats()).toMatchObject({ ended: 1, withheld: 0, sinks: { staged: { lost: 1 } } })
  })

  it('has its error redacted, and cut to its bound', async () => {
    const sink = new StagedSink()
    await failStream({}, [{ name: 'staged', sink }], `password=hunter2 ${'x'.repeat(5000)}`)
    const [payload] = sink.endPayloads()
    expect(payload?.end.error).toMatch(/^password=\[REDACTED\] x+/)
    expect(payload).toMatchObject({ redacted: 1, truncated: [{ path: 'end.error' }] })
  })

  it('has no error if response.error is left out', async () => {
    const sink = new StagedSink()
    await failStream({ redact: { omit: ['response.error', 'annotations'] } }, [{ name: 'staged', sink }])
    expect(sink.ends()).toEqual(['failed'])
  })
})

describe('a stream', () => {
  expectNothingUncaught()

  async function stream(complete: 'fails' | 'hangs') {
    const source = new PassThrough()
    source.on('error', () => undefined)
    source.write('first ')
    const requests: FastifyRequest[] = []
    const served = await serve({
      timeout: SOON,
      declare: (app) => {
        app.get('/', (request, reply) => {
          requests.push(request)
          return reply.send(source)
        })
      },
    })
    served.sink.complete = complete
    return { ...served, source, requests }
  }

  it.each(['fails', 'hangs'] as const)('that is withheld has a correction and no end (the sink %s)', async (how) => {
    const served = await stream(how)
    const [reply] = await ask(served.port, {})
    expect(reply?.status).toBe(500)
    served.source.destroy(new Error('no more'))
    served.sink.giveUp()
    expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
    expect(served.requests[0]?.audit.annotate({ late: true })).toBe(false)
    expect(served.sink.ends()).toEqual([])
    expect(served.app.audit.stats()).toMatchObject({ running: 0, ended: 0, annotationsTooLate: 1 })
  })
})

describe('an event stream', () => {
  expectNothingUncaught()

  it.each(['text/event-stream', 'Text/Event-Stream; charset=utf-8'])('of %s has an end however short', async (type) => {
    const served = await serve({
      declare: (app) =>
        app.get('/', (_, reply) => {
          reply.hijack()
          reply.raw.writeHead(200, { 'content-type': type })
          reply.raw.write('data: first\n\n')
          reply.raw.end()
        }),
    })
    await ask(served.port, {})
    await until(() => served.app.audit.stats().ended === 1)
    await served.app.audit.flush()
    expect(served.sink.ends()).toEqual(['closed'])
  })
})

describe('a program that looks at its response', () => {
  expectNothingUncaught()

  it('finds the listeners that it finds without the plugin', async () => {
    const counted = async (isAudited: boolean): Promise<unknown> => {
      const app = Fastify()
      if (isAudited) await app.register(audit, { sinks: [{ name: 'staged', sink: new StagedSink() }] })
      const source = new PassThrough()
      const counts: unknown[] = []
      app.get('/', (_, reply) => {
        source.write('first ')
        reply.raw.once('finish', () => {
          for (const event of ['close', 'error', 'drain']) {
            counts.push(event, reply.raw.listenerCount(event), source.listenerCount(event))
          }
        })
        return reply.send(source)
      })
      const wire = await Wire.open(await listen(app))
      wire.send(requestBytes({}))
      await wire.until((bytes) => bytes.includes('first'))
      source.end()
      await wire.closed()
      await app.close()
      return counts
    }
    const bare = await counted(false)
    expect(bare).toHaveLength(9)
    expect(await counted(true)).toEqual(bare)
  })
})
