import { connect } from 'node:http2'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred, type Served, serve, trailOf } from '../exchange/server.js'
import { turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'

interface Departure {
  name: string
  /** Bytes that the client sends before it leaves. */
  bytes: string
  how: 'reset' | 'end'
  /** Text that the client waits for before it leaves. */
  sees?: string
  /** Number of its requests that reach a hook or a handler. */
  routed: number
  unseen: Record<string, number>
}

const UPLOAD = requestBytes({
  method: 'POST',
  url: '/upload',
  headers: { 'content-type': 'text/plain', 'content-length': '10' },
}).concat('half')
const CHUNKED = requestBytes({
  method: 'POST',
  url: '/upload',
  headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
}).concat('4\r\nhalf\r\n')
const EARLY = UPLOAD.replace('/upload', '/denied').replace('connection: close', 'connection: keep-alive')
const KEPT = requestBytes({ url: '/', headers: { connection: 'keep-alive' } })
const SLOW = requestBytes({ url: '/slow', headers: { connection: 'keep-alive' } })
const STREAM = requestBytes({ url: '/stream' })

const DEPARTURES: Departure[] = [
  { name: 'in an upload', bytes: UPLOAD, how: 'reset', routed: 1, unseen: {} },
  { name: 'in an upload', bytes: UPLOAD, how: 'end', routed: 1, unseen: {} },
  { name: 'in an upload of unknown length', bytes: CHUNKED, how: 'reset', routed: 1, unseen: {} },
  { name: 'in an upload of unknown length', bytes: CHUNKED, how: 'end', routed: 1, unseen: {} },
  { name: 'in an upload that was answered early', bytes: EARLY, how: 'reset', sees: 'no', routed: 1, unseen: {} },
  { name: 'in an upload that was answered early', bytes: EARLY, how: 'end', sees: 'no', routed: 1, unseen: {} },
  { name: 'in a download', bytes: STREAM, how: 'reset', sees: 'chunk', routed: 1, unseen: {} },
  { name: 'in a download', bytes: STREAM, how: 'end', sees: 'chunk', routed: 1, unseen: {} },
  { name: 'while the handler runs', bytes: SLOW, how: 'reset', routed: 1, unseen: {} },
  { name: 'while two pipelined handlers run', bytes: SLOW + SLOW, how: 'reset', routed: 2, unseen: {} },
  { name: 'between two requests', bytes: KEPT, how: 'reset', sees: 'hello', routed: 1, unseen: {} },
  { name: 'between two requests', bytes: KEPT, how: 'end', sees: 'hello', routed: 1, unseen: {} },
  { name: 'before it sent anything', bytes: '', how: 'reset', routed: 0, unseen: {} },
  { name: 'before it sent anything', bytes: '', how: 'end', routed: 0, unseen: {} },
  { name: 'in a head', bytes: 'GET / HTTP/1.1\r\nho', how: 'reset', routed: 0, unseen: { ECONNRESET: 1 } },
  { name: 'in a head', bytes: 'GET / HTTP/1.1\r\nho', how: 'end', routed: 0, unseen: { HPE_INVALID_EOF_STATE: 1 } },
  {
    name: 'in a head that is pipelined',
    bytes: `${SLOW}GET / HTTP/1.1\r\nho`,
    how: 'end',
    routed: 1,
    unseen: { HPE_INVALID_EOF_STATE: 1 },
  },
]

/** Server whose slow handlers go on after the test. */
async function serveSlowly(seen: string[]): Promise<Served> {
  const over = deferred()
  onTestFinished(() => over.resolve())
  return serve({
    options: { abortTimeout: '20ms' },
    declare: (app) => {
      app.addHook('onRequest', async ({ url }) => void seen.push(url))
      app.get('/', async () => 'hello')
      app.get('/slow', async () => over.promise)
      app.get('/stream', (_, reply) => {
        reply.raw.write('chunk')
        reply.hijack()
      })
      app.post('/upload', async () => 'hello')
      app.post('/denied', { onRequest: async (_, reply) => reply.code(401).send('no') }, async () => 'hello')
    },
  })
}

describe('a client that leaves', () => {
  expectNothingUncaught()

  it.each(DEPARTURES)('$name by $how: counts what is not in the trail, and nothing else', async (departure) => {
    const { bytes, how, sees, routed, unseen } = departure
    const seen: string[] = []
    const served = await serveSlowly(seen)
    const sockets: Socket[] = []
    served.app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const wire = await Wire.open(served.port)
    wire.send(bytes)
    if (sees !== undefined) await wire.until((soFar) => soFar.includes(sees))
    await until(() => seen.length === routed && sockets[0]?.bytesRead === Buffer.byteLength(bytes))
    const gone = new Promise<void>((resolve) => sockets[0]?.on('close', () => resolve()))
    await wire.leave(how)
    await gone
    await turns(2)
    expect(served.app.audit.stats().unseen).toEqual(unseen)
    await until(() => served.app.audit.stats().open === 0)
    const trail = await trailOf(served)
    expect(trail.filter((entry) => entry === 'Received')).toHaveLength(routed)
    expect(trail.filter((entry) => entry.startsWith('Complete'))).toHaveLength(routed)
  })
})

describe('a request that breaks off by itself', () => {
  expectNothingUncaught()

  it.each([
    { name: 'a chunk that is none', bytes: `${CHUNKED}zz\r\n` },
    { name: 'a body that does not come in time', bytes: UPLOAD },
  ])('is in the trail, and is not counted: $name', async ({ bytes }) => {
    const served = await serve({
      factory: { requestTimeout: 30, http: { headersTimeout: 20, connectionsCheckingInterval: 10 } },
      options: { abortTimeout: '20ms' },
      declare: (app) => app.post('/upload', async () => 'hello'),
    })
    const wire = await Wire.open(served.port)
    wire.send(bytes)
    await wire.toEnd()
    await until(() => served.app.audit.stats().open === 0 && served.app.audit.stats().audited === 1)
    expect(await trailOf(served)).toHaveLength(2)
    expect(served.app.audit.stats().unseen).toEqual({})
  })

  it('does not hide what is pipelined behind it', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    const wire = await Wire.open(served.port)
    wire.send(`${KEPT}NONSENSE\r\n\r\n`)
    await wire.toEnd()
    expect(served.app.audit.stats().unseen).toEqual({ HPE_INVALID_METHOD: 1 })
  })

  it('is not one if nothing was sent in time: a connection that asks for nothing', async () => {
    const served = await serve({
      factory: { http: { headersTimeout: 20, connectionsCheckingInterval: 10 } },
      declare: (app) => app.get('/', async () => 'hello'),
    })
    const wire = await Wire.open(served.port)
    await wire.toEnd()
    expect(served.app.audit.stats().unseen).toEqual({})
  })
})

describe('CONNECT', () => {
  expectNothingUncaught()

  it('is counted, and Node hangs up as it does without the plugin', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    const wire = await Wire.open(served.port)
    wire.send('CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n')
    expect(await wire.toEnd()).toEqual([])
    expect(served.app.audit.stats().unseen).toEqual({ CONNECT: 1 })
  })

  it('is counted, and left to an application that tunnels', async () => {
    const served = await serve({
      declare: (app) => void app.server.on('connect', (_, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    })
    const wire = await Wire.open(served.port)
    wire.send('CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n')
    expect((await wire.toEnd())[0]?.status).toBe(200)
    expect(served.app.audit.stats().unseen).toEqual({ CONNECT: 1 })
  })
})

/** Returns the status of one HTTP/2 request; 0 if it was reset. */
async function statusOver(port: number, headers: Record<string, string>): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`)
  const stream = session.request(headers)
  let status = 0
  stream.on('response', (got) => {
    status = Number(got[':status'])
    stream.resume().end()
  })
  await new Promise<void>((resolve) => stream.on('close', resolve).on('error', () => resolve()))
  await new Promise<void>((resolve) => session.close(resolve))
  return status
}

describe('over HTTP/2', () => {
  expectNothingUncaught()

  it.each([
    { name: 'CONNECT', headers: { ':method': 'CONNECT', ':authority': 'a:443' }, status: 405, audited: 0 },
    { name: 'an expectation', headers: { ':path': '/', expect: 'tea' }, status: 417, audited: 0 },
    { name: 'a URL that Fastify refuses', headers: { ':path': '/%zz' }, status: 400, audited: 0 },
    { name: 'no more than that', headers: { ':path': '/' }, status: 200, audited: 1 },
    { name: 'nor what is expected', headers: { ':path': '/', expect: '100-continue' }, status: 200, audited: 1 },
    { name: 'nor what is not found', headers: { ':path': '/nothing' }, status: 404, audited: 1 },
    { name: 'nor what is left out', headers: { ':path': '/exempt' }, status: 200, audited: 0, excluded: 1 },
  ])('is counted: $name', async ({ headers, status, audited, excluded = 0 }) => {
    const served = await serve({
      factory: { http2: true },
      declare: (app) => {
        app.get('/', async () => 'hello')
        app.get('/exempt', { config: { audit: false } }, async () => 'hello')
      },
    })
    expect(await statusOver(served.port, headers)).toBe(status)
    const unseen = audited + excluded === 0 ? { [`HTTP_${status}`]: 1 } : {}
    await until(() => Object.keys(served.app.audit.stats().unseen).length === Object.keys(unseen).length)
    expect(served.app.audit.stats()).toMatchObject({ unseen, audited, excluded })
  })

  it('what a hook before the plugin answers is in the trail, and is not counted', async () => {
    const served = await serve({
      factory: { http2: true },
      before: (app) =>
        void app.addHook('onRequest', async (_, reply) => {
          await turns(2)
          return reply.code(401).send('no')
        }),
      declare: (app) => app.get('/', async () => 'hello'),
    })
    expect(await statusOver(served.port, { ':path': '/' })).toBe(401)
    expect(await trailOf(served)).toHaveLength(2)
    expect(served.app.audit.stats().unseen).toEqual({})
  })
})
