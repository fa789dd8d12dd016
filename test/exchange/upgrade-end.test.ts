import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import websocket, { type WebSocket as ServerSocket } from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { ReplyEnd } from '../../src/index.js'
import { HANDSHAKE, textFrame } from '../libraries/support/websocket.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES, type Guarantee } from './oracle.js'
import { type Served, serve, trailOf } from './server.js'

interface Opened extends Served {
  client: WebSocket
  socket: ServerSocket
  request: FastifyRequest
}

interface Accepted {
  socket?: ServerSocket
  request?: FastifyRequest
}

async function serveSockets(deliveryGuarantee: Guarantee, accepted: Accepted): Promise<Served> {
  return serve({
    deliveryGuarantee,
    declare: async (app) => {
      await app.register(websocket)
      app.get('/ws', { websocket: true }, (socket, request) => {
        Object.assign(accepted, { socket, request })
        socket.on('message', (message) => socket.send(message))
      })
    },
  })
}

/** Opens a websocket over which one message has gone both ways. */
async function open(deliveryGuarantee: Guarantee = 'enforced'): Promise<Opened> {
  const accepted: Accepted = {}
  const served = await serveSockets(deliveryGuarantee, accepted)
  const client = new WebSocket(`ws://127.0.0.1:${served.port}/ws`)
  client.on('error', () => undefined)
  await new Promise((resolve) => client.once('open', resolve))
  const answer = new Promise((resolve) => client.once('message', resolve))
  client.send('ping')
  await answer
  const { socket, request } = accepted
  if (socket === undefined || request === undefined) throw new Error('no socket was accepted')
  return { ...served, client, socket, request }
}

/** Opens a websocket by `injectWS`, for whose connection a closing server does not wait. */
async function inject() {
  const accepted: Accepted = {}
  const served = await serveSockets('enforced', accepted)
  await served.app.ready()
  const client = await served.app.injectWS('/ws')
  await until(() => accepted.socket !== undefined)
  const { socket } = accepted
  if (socket === undefined) throw new Error('no socket was accepted')
  return { ...served, client, socket }
}

async function endOf({ app, sink }: Served): Promise<ReplyEnd | undefined> {
  await until(() => app.audit.stats().running === 0)
  await app.audit.flush()
  expect(sink.endPayloads().length).toBe(app.audit.stats().ended)
  return sink.endPayloads()[0]?.end
}

/** Sends a frame that no client may send: it is not masked. */
function breakProtocol(client: WebSocket): void {
  const socket: unknown = Reflect.get(client, '_socket')
  if (typeof socket === 'object' && socket !== null && 'write' in socket && typeof socket.write === 'function') {
    socket.write(Buffer.from([0x81, 0x01, 0x61]))
  }
}

const WAYS: Array<{ way: string; end(opened: Opened): unknown; entry: Partial<ReplyEnd> }> = [
  { way: 'its client closes', end: ({ client }) => client.close(), entry: { how: 'closed', close_code: 1005 } },
  {
    way: 'its client closes with a code',
    end: ({ client }) => client.close(4001, 'secret=hunter2'),
    entry: { how: 'closed', close_code: 4001 },
  },
  { way: 'its handler closes', end: ({ socket }) => socket.close(1000), entry: { how: 'closed', close_code: 1000 } },
  { way: 'its client leaves', end: ({ client }) => client.terminate(), entry: { how: 'aborted', close_code: 1006 } },
  {
    way: 'breaks the protocol',
    end: ({ client }) => breakProtocol(client),
    entry: { how: 'failed', error: 'Invalid WebSocket frame: MASK must be set' },
  },
  { way: 'closes with its server', end: ({ app }) => app.close(), entry: { how: 'closed', close_code: 1005 } },
]

describe.each(GUARANTEES)('a websocket (%s)', (guarantee) => {
  expectNothingUncaught()

  it.each(WAYS)('that $way', async ({ end, entry }) => {
    const opened = await open(guarantee)
    expect(opened.app.audit.stats().running).toBe(1)
    await end(opened)
    const recorded = await endOf(opened)
    expect(recorded).toMatchObject(entry)
    expect(recorded?.bytes_received).toBeGreaterThan('ping'.length)
    expect(recorded?.bytes_sent).toBeGreaterThan('HTTP/1.1 101 Switching Protocols'.length)
    expect(opened.sink.trail()).toEqual(['Received', 'Complete 101'])
    expect(JSON.stringify(recorded)).not.toContain('hunter2')
  })

  it('is annotated until it ends, and not after', async () => {
    const opened = await open(guarantee)
    const { audit } = opened.request
    expect(audit.annotate({ room: 'a', password: 'hunter2' })).toBe(true)
    expect(audit.annotate({ long: 'x'.repeat(100_000) })).toBe(false)
    opened.client.close()
    expect(await endOf(opened)).toMatchObject({ annotations: { room: 'a', password: '[REDACTED]' } })
    expect(opened.sink.endPayloads()[0]).toMatchObject({ truncated: [{ path: 'end.annotations.long' }], redacted: 1 })
    expect(audit.annotate({ late: true })).toBe(false)
    expect(opened.app.audit.stats().annotationsTooLate).toBe(1)
  })

  it('records actions of its own for as long as it is open', async () => {
    const opened = await open(guarantee)
    await opened.request.audit.record({ action: 'room.join' })
    opened.client.close()
    await endOf(opened)
    const actions = opened.sink.stored.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
    expect(actions).toMatchObject([{ action: 'room.join', parent: [...opened.sink.ids()][0] }])
  })

  it('has the listeners that it has without the plugin', async () => {
    const { socket, app, client } = await open(guarantee)
    // The library's own.
    expect(socket.listenerCount('close')).toBe(1)
    expect(app.websocketServer.listenerCount('connection')).toBe(0)
    client.close()
  })
})

describe('a websocket', () => {
  expectNothingUncaught()

  it('by injectWS has an end, with its code and without bytes', async () => {
    const served = await serveSockets('enforced', {})
    await served.app.ready()
    const client = await served.app.injectWS('/ws')
    await until(() => served.app.audit.stats().running === 1)
    client.terminate()
    const { duration_ms: _, ...recorded } = (await endOf(served)) ?? {}
    expect(recorded).toEqual({ how: 'aborted', close_code: 1006 })
  })

  it('that its handler is closing as the server closes has the code of its handler', async () => {
    const { app, sink, client, socket } = await inject()
    socket.close(1001)
    await app.close()
    expect(sink.endPayloads()).toMatchObject([{ end: { how: 'closed', close_code: 1001 } }])
    client.terminate()
  })

  it('that goes on as the server closes is cut off, before the stop entry', async () => {
    const { app, sink, client } = await inject()
    // As with a `preClose` of its own that closes none.
    app.websocketServer.clients.clear()
    await app.close()
    expect(sink.stored.slice(-2).map(({ event }) => event.payload)).toMatchObject([
      { type: 'end', end: { how: 'aborted', error: 'server closed' } },
      { type: 'stop' },
    ])
    client.terminate()
  })

  it('that is refused after its 101 was recorded has a correction, and no end', async () => {
    const served = await serveSockets('enforced', {})
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/ws', headers: { ...HANDSHAKE, 'sec-websocket-key': 'wrong' } }))
    await wire.toEnd()
    expect(await endOf(served)).toBeUndefined()
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101', 'correction 400'])
  })

  it('whose client left before its 101 was recorded is aborted', async () => {
    const served = await serveSockets('enforced', {})
    served.sink.complete = 'hangs'
    const accepted = new Promise<Socket>((resolve) => served.app.server.once('connection', resolve))
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/ws', headers: HANDSHAKE }))
    await until(() => served.sink.isHanging)
    const socket = await accepted
    await wire.leave('reset')
    await until(() => socket.closed)
    served.sink.recover()
    await until(() => served.app.audit.stats().ended === 1)
    expect(await endOf(served)).toMatchObject({ how: 'aborted' })
  })

  it('ends by a frame that is cut off', async () => {
    const served = await serveSockets('enforced', {})
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/ws', headers: HANDSHAKE }))
    await wire.until((bytes) => bytes.includes('\r\n\r\n'))
    wire.send(textFrame('half of it').subarray(0, 5))
    await wire.leave('reset')
    expect(await endOf(served)).toMatchObject({ how: 'aborted', close_code: 1006 })
  })
})

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n'

/** Server that handles upgrades as a proxy does: Fastify routes the request, and a handler gets the socket. */
function routeUpgrades(app: FastifyInstance, handle: (socket: Socket) => void): void {
  const sockets = new WeakMap<object, Socket>()
  app.server.on('upgrade', (request, socket: Socket) => {
    sockets.set(request, socket)
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    app.routing(request, response)
  })
  app.get('/', (request, reply) => {
    const socket = sockets.get(request.raw)
    reply.hijack()
    if (socket !== undefined) handle(socket)
  })
}

const SOCKET_WAYS: Array<{ way: string; end(wire: Wire, socket: Socket): unknown; entry: object }> = [
  { way: 'its client ends', end: (wire) => wire.socket.end(), entry: { how: 'closed' } },
  { way: 'its handler ends', end: (_, socket) => socket.end(), entry: { how: 'closed' } },
  { way: 'its client resets', end: (wire) => wire.leave('reset'), entry: { how: 'aborted' } },
  {
    way: 'its handler destroys',
    end: (_, socket) => socket.destroy(new Error('the upstream is gone')),
    entry: { how: 'failed', error: 'the upstream is gone' },
  },
]

describe.each(GUARANTEES)('an upgrade whose socket (%s)', (guarantee) => {
  expectNothingUncaught()

  it.each(SOCKET_WAYS)('$way', async ({ end, entry }) => {
    let handled: Socket | undefined
    const served = await serve({
      deliveryGuarantee: guarantee,
      declare: (app) =>
        routeUpgrades(app, (socket) => {
          handled = socket
          socket.on('error', () => undefined)
          socket.on('end', () => socket.end())
          socket.on('data', (chunk) => socket.write(chunk))
          socket.write(SWITCH)
        }),
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ headers: { connection: 'upgrade', upgrade: 'echo' } }))
    await wire.until((bytes) => bytes.includes('\r\n\r\n'))
    wire.send('hello')
    await wire.until((bytes) => bytes.includes('hello'))
    if (handled === undefined) throw new Error('no socket was handled')
    await end(wire, handled)
    const { duration_ms: _, ...recorded } = (await endOf(served)) ?? {}
    expect(recorded).toEqual({ ...entry, bytes_received: 5, bytes_sent: SWITCH.length + 5 })
    await wire.leave()
  })
})
