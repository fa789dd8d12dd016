import { Readable } from 'node:stream'
import compress from '@fastify/compress'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AuditEvent, type AuditOptions, type MemorySink, memorySink } from '../../src/index.js'
import { askHttp2 } from '../support/http2.js'
import { validateLine } from '../support/schema.js'
import { StagedSink } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, type WireRequest } from '../support/wire.js'
import { listen } from './runner.js'

interface Served {
  app: FastifyInstance
  sink: MemorySink
  /** Events of one request: Received and Complete. */
  record(request: WireRequest): Promise<{ received: AuditEvent; complete: AuditEvent }>
}

async function serve(
  options: Omit<AuditOptions, 'sinks'>,
  declare: (app: FastifyInstance) => unknown,
  factory: object = {},
): Promise<Served> {
  const sink = memorySink()
  const app = Fastify(factory)
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'memory', sink }], ...options })
  const done = declare(app)
  if (done instanceof Promise) await done
  const port = await listen(app)
  const record = async (request: WireRequest) => {
    sink.clear()
    await ('http2' in factory ? askHttp2(port, request) : ask(port, request))
    await app.audit.flush()
    for (const line of sink.lines) validateLine(line)
    const [received, complete] = sink.events
    if (received === undefined || complete === undefined) throw new Error('there are not two events')
    expect(sink.events).toHaveLength(2)
    return { received, complete }
  }
  return { app, sink, record }
}

const JSON_TYPE = { 'content-type': 'application/json' }

function post(body: string, headers: Record<string, string> = JSON_TYPE, method = 'POST'): WireRequest {
  return { method, url: '/', headers, body }
}

/** Answers with the request's body. */
function echo(app: FastifyInstance): void {
  app.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/',
    handler: async (request) => ({ got: request.body }),
  })
}

describe('a level', () => {
  expectNothingUncaught()

  it.each([
    ['metadata', undefined, undefined],
    [1, undefined, undefined],
    ['request', { a: 1 }, undefined],
    [2, { a: 1 }, undefined],
    ['response', { a: 1 }, { got: { a: 1 } }],
    [3, { a: 1 }, { got: { a: 1 } }],
  ] as const)('%s holds as much as it says', async (level, requestBody, responseBody) => {
    const { record } = await serve(
      { level, capture: { requestHeaders: ['accept'], responseHeaders: ['x-r'] } },
      (app) => {
        app.addHook('onRequest', async (_, reply) => void reply.header('x-r', 'r'))
        echo(app)
      },
    )
    const { received, complete } = await record(post('{"a":1}', { ...JSON_TYPE, accept: '*/*' }))
    expect([received.payload.request.body, complete.payload.request.body]).toEqual([requestBody, requestBody])
    expect(received.payload.request.headers).toEqual(requestBody && { accept: '*/*' })
    expect(complete.payload.request).toEqual(received.payload.request)
    expect(complete.payload.response?.body).toEqual(responseBody)
    expect(complete.payload.response?.headers).toEqual(responseBody && { 'x-r': 'r' })
  })

  it.each(['none', 0] as const)('%s holds nothing', async (level) => {
    const { app, sink } = await serve({ level }, echo)
    await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    expect(sink.events).toEqual([])
    expect(app.audit.stats()).toMatchObject({ audited: 0, excluded: 1 })
  })

  it('is raised by rules above none, which is allow-listing', async () => {
    const { app, sink } = await serve({ level: 'none', rules: [{ operations: ['DELETE'], level: 'metadata' }] }, echo)
    await app.inject({ method: 'POST', url: '/' })
    await app.inject({ method: 'DELETE', url: '/' })
    expect(sink.events.map(({ payload }) => payload.request.operation)).toEqual(['DELETE', 'DELETE'])
  })

  it('of the first rule that matches wins over the server, and that of a route over both', async () => {
    const { record } = await serve(
      {
        level: 'metadata',
        rules: [
          { name: 'quiet', routes: ['/quiet/*'], level: 'metadata' },
          { namespaces: ['loud'], level: 'response' },
        ],
        namespace: (request) => String(request.headers['x-namespace'] ?? 'default'),
      },
      (app) => {
        app.post('/quiet/:id', async () => ({ ok: true }))
        app.post('/', async () => ({ ok: true }))
        app.post('/own', { config: { audit: { level: 'request' } } }, async () => ({ ok: true }))
      },
    )
    const bodiesOf = async (url: string, namespace: string) => {
      const headers = { ...JSON_TYPE, 'x-namespace': namespace }
      const { payload } = (await record({ method: 'POST', url, headers, body: '{}' })).complete
      return ['body' in payload.request, 'body' in (payload.response ?? {})]
    }
    expect(await bodiesOf('/quiet/7', 'loud')).toEqual([false, false])
    expect(await bodiesOf('/%71uiet/7', 'loud')).toEqual([false, false])
    expect(await bodiesOf('/', 'loud')).toEqual([true, true])
    expect(await bodiesOf('/', 'default')).toEqual([false, false])
    expect(await bodiesOf('/own', 'loud')).toEqual([true, false])
  })

  it('is at least metadata for a route that says true, and a route that says none is named as exempt', async () => {
    const { app, sink } = await serve({ level: 'none' }, (instance) => {
      instance.get('/true', { config: { audit: true } }, async () => 'x')
      instance.get('/none', { config: { audit: { level: 0 } } }, async () => 'x')
    })
    await app.inject('/true')
    await app.inject('/none')
    expect(sink.events.map(({ payload }) => payload.request.route)).toEqual(['/true', '/true'])
    expect(sink.entries.at(0)?.event).toMatchObject({
      payload: { start: { exempted_routes: ['GET /none', 'HEAD /none'] } },
    })
  })

  it('of a route that was declared before the plugin counts too, and nonsense there fails no request', async () => {
    const sink = memorySink()
    const app = Fastify()
    onTestFinished(() => app.close())
    const nonsense: object[] = [{ audit: null }, { audit: 'no' }, { audit: { level: 'x' } }, { audit: 7 }]
    for (const [index, config] of nonsense.entries()) app.post(`/${index}`, { config }, async () => ({}))
    app.post('/all', { config: { audit: { level: 'response' } } }, async () => ({ ok: true }))
    await app.register(audit, { sinks: [{ name: 'memory', sink }] })
    for (const index of nonsense.keys()) {
      const { statusCode } = await app.inject({ method: 'POST', url: `/${index}`, payload: {} })
      expect(statusCode).toBe(200)
    }
    await app.inject({ method: 'POST', url: '/all', payload: { a: 1 } })
    expect(sink.events).toHaveLength(2 * nonsense.length + 2)
    expect(sink.events.at(-1)?.payload).toMatchObject({ request: { body: { a: 1 } }, response: { body: { ok: true } } })
  })
})

describe('the body of a request', () => {
  expectNothingUncaught()

  it('is what was parsed, before validation fills in defaults and coerces', async () => {
    const { record } = await serve({ level: 'response' }, (app) => {
      const body = { type: 'object', properties: { n: { type: 'number' }, d: { type: 'string', default: 'x' } } }
      app.post('/', { schema: { body } }, async (request) => request.body)
    })
    const { received, complete } = await record(post('{"n":"7"}'))
    expect(received.payload.request.body).toEqual({ n: '7' })
    expect(complete.payload.response?.body).toEqual({ n: 7, d: 'x' })
  })

  it.each(['[1,"a",null]', '"text"', '7', 'null', 'false'])('may be any JSON: %s', async (json) => {
    const { record } = await serve({ level: 2 }, echo)
    expect((await record(post(json))).received.payload.request.body).toEqual(JSON.parse(json))
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is recorded of %s', async (method) => {
    const { record } = await serve({ level: 2 }, echo)
    expect((await record(post('{"a":1}', JSON_TYPE, method))).received.payload.request.body).toEqual({ a: 1 })
  })

  it('is there over HTTP/2, where no length is sent', async () => {
    const { record } = await serve({ level: 3 }, echo, { http2: true })
    const { received, complete } = await record(post('{"a":1}'))
    expect(received.payload.request.body).toEqual({ a: 1 })
    expect(complete.payload.response?.body).toEqual({ got: { a: 1 } })
  })

  it.each([
    ['malformed JSON', post('{"a":'), 400],
    ['a type that nothing parses', post('<a/>', { 'content-type': 'application/xml' }), 415],
    ['one that is too large', post(JSON.stringify({ a: 'x'.repeat(200) })), 413],
    ['an empty one of JSON', post('', { ...JSON_TYPE, 'content-length': '0' }), 400],
    ['one of a GET, which Fastify does not parse', post('{"a":1}', JSON_TYPE, 'GET'), 404],
  ])('that is not parsed is said to be so: %s', async (_, request, status) => {
    const { record } = await serve({ level: 3 }, echo, { bodyLimit: 100 })
    const { received, complete } = await record(request)
    const marks =
      request.headers?.['content-length'] === '0' ? undefined : [{ path: 'request.body', reason: 'not parsed' }]
    expect(received.payload.omitted).toEqual(marks)
    expect(received.payload.request).not.toHaveProperty('body')
    expect(complete.payload.response?.status_code).toBe(status)
  })

  it('is recorded of any method that is made to have one, and said to be there of one that is not', async () => {
    const { record } = await serve({ level: 2 }, (app) => {
      app.addHttpMethod('GET', { hasBody: true, overrideExisting: true } as object)
      app.addHttpMethod('PROPFIND')
      app.route({ method: ['GET', 'PROPFIND', 'OPTIONS'], url: '/', handler: async () => 'ok' })
    })
    for (const method of ['GET', 'OPTIONS']) {
      const { received } = await record(post('{"a":1}', JSON_TYPE, method))
      expect([received.payload.request.body, received.payload.omitted]).toEqual([{ a: 1 }, undefined])
    }
    const { received } = await record(post('{"a":1}', JSON_TYPE, 'PROPFIND'))
    expect(received.payload.omitted).toEqual([{ path: 'request.body', reason: 'not parsed' }])
  })

  it.each([{}, { http2: true }])('is not said to be there for its type alone, %o', async (factory) => {
    const { record } = await serve({ level: 2 }, (app) => app.get('/', async () => 'ok'), factory)
    const { received } = await record({ headers: JSON_TYPE })
    expect(received.payload).not.toHaveProperty('omitted')
  })

  it('is stored before the handler runs, although a hook has begun the reply', async () => {
    const sink = new StagedSink()
    sink.received = 'hangs'
    let hasRun = false
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, { level: 2, sinks: [{ name: 'staged', sink }] })
    app.addHook('preParsing', (_, reply, payload, done) => {
      reply.raw.write('begun ')
      done(null, payload)
    })
    const isParsed = new Promise<void>((resolve) => {
      app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_, body, done) => {
        done(null, body)
        setImmediate(resolve)
      })
    })
    app.post('/', (_, reply) => {
      hasRun = true
      reply.hijack()
      reply.raw.end('and ended')
    })
    const port = await listen(app)
    const answer = ask(port, post('hello', { 'content-type': 'text/plain' }))
    await isParsed
    expect(hasRun).toBe(false)
    sink.recover()
    expect((await answer)[0]?.body).toContain('and ended')
    expect(hasRun).toBe(true)
    await app.audit.flush()
    expect(sink.trail()).toEqual(['Received', 'Complete 200'])
  })

  it('of a request that a hook turns away before it is parsed is not there, and both stages are', async () => {
    const { record } = await serve({ level: 2 }, (app) => {
      app.addHook('onRequest', async (_, reply) => reply.code(401).send({ message: 'who?' }))
      echo(app)
    })
    const { received, complete } = await record(post('{"a":1}'))
    expect(received.payload.omitted).toEqual([{ path: 'request.body', reason: 'not parsed' }])
    expect(complete.payload.response).toMatchObject({ status_code: 401, error: 'who?' })
  })

  it('waits for nothing when a hook calls the handler for what is not found, which runs when Received is stored', async () => {
    const sink = memorySink()
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, { level: 'request', sinks: [{ name: 'memory', sink }] })
    let runs = 0
    app.setNotFoundHandler(async (_, reply) => {
      runs++
      return reply.code(404).send('nothing')
    })
    app.addHook('onRequest', (_, reply) => {
      reply.callNotFound()
    })
    echo(app)
    const ask = () => app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    expect((await ask()).statusCode).toBe(404)
    expect([runs, sink.events.length]).toEqual([1, 2])
    expect(sink.events[0]?.payload.omitted).toEqual([{ path: 'request.body', reason: 'not parsed' }])
    sink.fail()
    expect((await ask()).statusCode).toBe(503)
    expect(runs).toBe(1)
    sink.recover()
  })

  it('of many parts, and of bytes, is said to be what it is', async () => {
    const { record } = await serve({ level: 2 }, async (app) => {
      await app.register(multipart)
      app.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
      app.post('/', async (request) => {
        if (request.isMultipart())
          for await (const part of request.parts()) if (part.type === 'file') part.file.resume()
        return { ok: true }
      })
    })
    const parts = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nhunter2\r\n--x--\r\n'
    const form = await record(post(parts, { 'content-type': 'multipart/form-data; boundary=x' }))
    expect(form.received.payload.omitted?.[0]?.reason).toMatch(/^multipart; multipart\/form-data; \d+ bytes$/)
    expect(form.complete.payload.response?.status_code).toBe(200)
    const image = await record(post('png!', { 'content-type': 'image/png' }))
    expect(image.received.payload.omitted?.[0]?.reason).toBe('binary; image/png; 4 bytes')
  })
})

describe('the body of a reply', () => {
  expectNothingUncaught()

  it('is what was sent before compression', async () => {
    const { record } = await serve({ level: 3, capture: { responseHeaders: ['content-encoding'] } }, async (app) => {
      await app.register(compress, { threshold: 1 })
      app.get('/', async () => ({ a: 'x'.repeat(100) }))
    })
    const { complete } = await record({ headers: { 'accept-encoding': 'gzip' } })
    expect(complete.payload.response).toMatchObject({
      headers: { 'content-encoding': 'gzip' },
      body: { a: 'x'.repeat(100) },
    })
  })

  it.each([
    ['a string', 'text/plain; charset=utf-8', 'hello', 'hello', undefined],
    ['a buffer of JSON', 'application/problem+json', Buffer.from('{"a":1}'), { a: 1 }, undefined],
    ['bytes', 'image/png', Buffer.from([1, 2, 255]), undefined, 'binary; image/png; 3 bytes'],
    ['JSON that is none', 'application/json', '{"password":', undefined, 'not JSON; application/json; 12 bytes'],
  ])('is recorded as what it is: %s', async (_, type, payload, body, mark) => {
    const { record } = await serve({ level: 3 }, (app) => {
      app.get('/', async (_request, reply) =>
        reply
          .type(type)
          .serializer((value: unknown) => value as string)
          .send(payload),
      )
    })
    const { complete } = await record({})
    expect(complete.payload.response?.body).toEqual(body)
    expect(complete.payload.omitted?.[0]?.reason).toBe(mark)
  })

  it('that is a stream is never read', async () => {
    const { record } = await serve({ level: 3 }, (app) => {
      app.get('/', async (_request, reply) => reply.type('text/csv').send(Readable.from(['a,b\n', 'c,d\n'])))
    })
    expect((await record({})).complete.payload.omitted).toEqual([{ path: 'response.body', reason: 'stream; text/csv' }])
  })

  it('that is sent raw is recorded when it is sent at once', async () => {
    const { record } = await serve({ level: 3, capture: { responseHeaders: ['x-a'] } }, (app) => {
      app.get('/', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'application/json', 'X-A': 'a' })
        reply.raw.end('{"token":"s","b":2}')
      })
      app.get('/parts', (_request, reply) => {
        reply.hijack()
        reply.raw.write('a')
        reply.raw.end('b')
      })
    })
    const { complete } = await record({})
    expect(complete.payload.response).toMatchObject({ headers: { 'x-a': 'a' }, body: { token: '[REDACTED]', b: 2 } })
    expect((await record({ url: '/parts' })).complete.payload.omitted).toEqual([
      { path: 'response.body', reason: 'stream' },
    ])
  })

  it('is not there where none is sent', async () => {
    const { record } = await serve({ level: 3 }, (app) => {
      app.get('/', async () => ({ a: 1 }))
      app.get('/204', async (_, reply) => reply.code(204).send())
      app.get('/304', async (_, reply) => reply.code(304).send({ a: 1 }))
    })
    for (const request of [{ method: 'HEAD' }, { url: '/204' }, { url: '/304' }]) {
      const { payload } = (await record(request)).complete
      expect(payload.response).not.toHaveProperty('body')
      expect(payload).not.toHaveProperty('omitted')
    }
  })

  it('of an error is the body of the error', async () => {
    const { record } = await serve({ level: 3 }, (app) => {
      app.get('/', async () => {
        throw new Error('broken')
      })
    })
    const { payload } = (await record({})).complete
    expect(payload.response?.body).toEqual({ statusCode: 500, error: 'Internal Server Error', message: 'broken' })
  })
})

describe('data that privacy forbids', () => {
  it('is left out of every event', async () => {
    const omit = [
      'auth.name',
      'request.request_meta.remote_address',
      'request.request_meta.host',
      'request.request_meta.user_agent',
      'request.node_meta.ip',
      'request.body',
      'response.body',
      'response.error',
      'annotations',
    ] as const
    const { record } = await serve({ level: 3, redact: { omit } }, (app) => {
      app.post('/', async (request, reply) => {
        request.audit.annotate({ a: 1 })
        return reply.code(400).send({ message: 'no' })
      })
    })
    const { received, complete } = await record(post('{"a":1}', { ...JSON_TYPE, 'user-agent': 'x' }))
    expect(received.payload.auth).toEqual({
      accessor_id: 'anonymous',
      policies: ['anonymous'],
      create_time: '0001-01-01T00:00:00Z',
    })
    expect(received.payload.request).toMatchObject({ request_meta: {}, node_meta: {} })
    expect(Object.keys(received.payload.request.request_meta)).toEqual([])
    expect(Object.keys(complete.payload.response ?? {})).toEqual(['status_code', 'duration_ms'])
    expect(complete.payload).not.toHaveProperty('annotations')
    expect(complete.payload).not.toHaveProperty('omitted')
  })
})
