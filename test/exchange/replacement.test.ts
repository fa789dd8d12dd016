import { Readable } from 'node:stream'
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, header } from '../support/wire.js'
import { ALL_CASES } from './all-cases.js'
import { declared, Probe } from './case.js'
import { expectReplaced } from './runner.js'
import { deferred, serve, trailOf } from './server.js'

const ORIGIN = { origin: 'https://a.test' }

/** Headers that a replacement must not carry, and headers that it must keep. */
function everyHeader(app: FastifyInstance): void {
  app.addHook('onRequest', async (_, reply) => {
    reply.raw.setHeader('set-cookie', ['early=1'])
    reply.header('strict-transport-security', 'max-age=1').header('x-early', '1')
  })
}

function everyReply(app: FastifyInstance): void {
  app.get('/', (_, reply) => {
    reply
      .code(201)
      .headers({ 'set-cookie': 'session=1', etag: '"x"', location: '/7', 'cache-control': 'public', vary: 'cookie' })
      .trailer('x-sum', async () => 'abc')
      .send(Readable.from(['secret']))
  })
  app.get('/raw', (_, reply) => {
    reply.hijack()
    reply.raw.writeHead(201, { 'set-cookie': 'session=1', etag: '"x"', vary: 'cookie' })
    reply.raw.addTrailers({ 'x-sum': 'abc' })
    reply.raw.end('secret')
  })
}

describe('a withheld reply', () => {
  expectNothingUncaught()

  it.each(['/', '/raw'])('keeps CORS, vary and HSTS, and nothing else of %s', async (url) => {
    const { sink, port } = await serve({
      options: { auditIdHeader: 'X-Audit-Id' },
      declare: (app) => {
        app.register(cors, { origin: ORIGIN.origin, credentials: true })
        everyHeader(app)
        everyReply(app)
      },
    })
    sink.complete = 'fails'
    const [reply] = await ask(port, { url, headers: ORIGIN })
    const id = [...sink.ids()][0]
    const { date: _, 'content-length': __, ...headers } = Object.fromEntries(reply?.headers ?? [])
    expect(headers).toEqual({
      'strict-transport-security': 'max-age=1',
      'access-control-allow-origin': ORIGIN.origin,
      'access-control-allow-credentials': 'true',
      vary: 'cookie',
      connection: 'close',
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-audit-id': id,
    })
    expect(reply?.trailers).toEqual([])
    expect(reply?.body).not.toContain('secret')
  })

  it('destroys the source of the stream that it withholds', async () => {
    const source = new Readable({ read: () => undefined })
    source.push('secret')
    const { sink, port } = await serve({ declare: (app) => app.get('/', (_, reply) => reply.send(source)) })
    sink.complete = 'fails'
    const [reply] = await ask(port, {})
    expectReplaced(reply, 'withheld', [...sink.ids()])
    expect(source.destroyed).toBe(true)
  })

  it('lets a handler that goes on writing finish', async () => {
    const isWithheld = deferred()
    const drained = deferred()
    const written = deferred()
    const ended = deferred()
    const { app, sink, port } = await serve({
      declare: (app) => {
        app.get('/', (_, reply) => {
          reply.hijack()
          expect(reply.raw.write('a'.repeat(reply.raw.writableHighWaterMark))).toBe(false)
          reply.raw.once('drain', () => drained.resolve())
          isWithheld.promise.then(() => {
            expect(reply.raw.write('b', () => written.resolve())).toBe(true)
            reply.raw.end('c', () => ended.resolve())
          })
        })
      },
    })
    sink.complete = 'fails'
    const answer = ask(port, {})
    await until(() => app.audit.stats().withheld === 1)
    isWithheld.resolve()
    await Promise.all([drained.promise, written.promise, ended.promise])
    expectReplaced((await answer)[0], 'withheld', [...sink.ids()])
  })

  it('is not turned into a success by an error handler, which does not see it', async () => {
    const { sink, port } = await serve({
      declare: (app) => {
        app.setErrorHandler((_, __, reply) => reply.code(200).send({ ok: true }))
        app.get('/', async () => 'hello')
      },
    })
    sink.complete = 'fails'
    expectReplaced((await ask(port, {}))[0], 'withheld', [...sink.ids()])
    sink.received = 'fails'
    expectReplaced((await ask(port, {}))[0], 'refused', [])
  })
})

describe('a refused request', () => {
  expectNothingUncaught()

  it('keeps the CORS headers that an earlier plugin has set, so that a browser can read it', async () => {
    const { sink, port } = await serve({
      before: (app) => {
        app.register(cors, { origin: ORIGIN.origin })
        everyHeader(app)
      },
      declare: everyReply,
    })
    sink.received = 'fails'
    const [reply] = await ask(port, { headers: ORIGIN })
    expectReplaced(reply, 'refused', [...sink.ids()])
    expect(header(reply, 'access-control-allow-origin')).toBe(ORIGIN.origin)
    expect(header(reply, 'strict-transport-security')).toBe('max-age=1')
    expect(header(reply, 'x-early')).toBeUndefined()
  })

  it('leaves a connection that is kept alive in order for the next one', async () => {
    const served = await serve({ declare: (app) => app.post('/', async ({ body }) => body) })
    served.sink.received = 'fails'
    const headers = { 'content-type': 'text/plain', connection: 'keep-alive' }
    const [refused] = await ask(served.port, { method: 'POST', headers, body: 'x'.repeat(1000) })
    expectReplaced(refused, 'refused', [...served.sink.ids()])
    served.sink.recover()
    const [reply] = await ask(served.port, { method: 'POST', headers, body: 'again' })
    expect(reply).toMatchObject({ status: 200, body: 'again' })
    expect(await trailOf(served)).toEqual(['Complete 503 (FST_AUDIT_NOT_RECORDED)', 'Received', 'Complete 200'])
  })
})

describe('auditIdHeader', () => {
  expectNothingUncaught()

  it.each(ALL_CASES.filter(({ isUnheld }) => !isUnheld))('is on the reply: $name', async (test) => {
    const probe = new Probe()
    const { sink, port } = await serve({
      factory: test.factory ?? {},
      options: { auditIdHeader: 'X-Audit-Id' },
      before: (app) => declared(test.before, app, probe),
      declare: (app) => declared(test.declare, app, probe),
    })
    const [reply] = await ask(port, test.request ?? {})
    expect(header(reply, 'x-audit-id')).toBe([...sink.ids()][0])
  })

  it('is on a reply that is refused, and on one that is withheld', async () => {
    const { sink, port } = await serve({
      options: { auditIdHeader: 'x-audit-id' },
      declare: (app) => app.get('/', async () => 'hello'),
    })
    sink.received = 'fails'
    const [refused] = await ask(port, {})
    sink.received = 'stores'
    sink.complete = 'fails'
    const [withheld] = await ask(port, {})
    expect([header(refused, 'x-audit-id'), header(withheld, 'x-audit-id')]).toEqual([...sink.ids()])
  })
})
