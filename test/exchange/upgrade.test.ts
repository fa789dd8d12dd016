import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { type Behaviour, NEVER, SOON } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { parseReplies, requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES, type Guarantee } from './oracle.js'
import { expectReplaced } from './runner.js'
import { serve, trailOf } from './server.js'

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n'
const REQUEST = requestBytes({ headers: { connection: 'upgrade', upgrade: 'echo' } })

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

function serveUpgrades(
  handle: (socket: Socket) => void,
  deliveryGuarantee: Guarantee = 'enforced',
  timeout: string = NEVER,
) {
  return serve({ deliveryGuarantee, timeout, declare: (app) => routeUpgrades(app, handle) })
}

async function upgraded(port: number): Promise<Wire> {
  const wire = await Wire.open(port)
  wire.send(REQUEST)
  return wire
}

/** Switches protocols, sends something at once, and then echoes. */
function echo(socket: Socket): void {
  socket.write(SWITCH)
  socket.write('welcome ')
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('end', () => socket.end())
}

describe('an upgrade that a handler answers on the socket itself', () => {
  expectNothingUncaught()

  it.each(
    GUARANTEES.flatMap((guarantee) =>
      (['stores', 'is slow'] as const).map((complete) => [guarantee, complete] as const),
    ),
  )('switches once its 101 is recorded (%s, the sink %s)', async (guarantee, complete) => {
    const served = await serveUpgrades(echo, guarantee)
    served.sink.complete = complete
    const wire = await upgraded(served.port)
    await wire.until((bytes) => bytes.includes('welcome'))
    wire.send('and more')
    expect(await wire.until((bytes) => bytes.includes('more'))).toBe(`${SWITCH}welcome and more`)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101'])
    await wire.leave()
  })

  it.each<[Behaviour, string[]]>([
    ['fails', ['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)']],
    ['hangs', ['Received', 'Complete 101', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)']],
  ])('is withheld with all that follows when the sink %s', async (complete, trail) => {
    const served = await serveUpgrades(echo, 'enforced', SOON)
    served.sink.complete = complete
    const wire = await upgraded(served.port)
    const [reply] = await wire.toEnd()
    expectReplaced(reply, 'withheld', [])
    expect(wire.bytes).not.toContain('welcome')
    served.sink.recover()
    expect(await trailOf(served)).toEqual(trail)
  })

  it('lets a switch out that best-effort could not record', async () => {
    const served = await serveUpgrades(echo, 'best-effort')
    served.sink.complete = 'fails'
    const wire = await upgraded(served.port)
    expect(await wire.until((bytes) => bytes.includes('welcome'))).toContain('101')
    await wire.leave()
  })

  it('is not handled when its Received is not stored', async () => {
    let calls = 0
    const served = await serveUpgrades(() => calls++)
    served.sink.received = 'fails'
    const wire = await upgraded(served.port)
    const [reply] = await wire.toEnd()
    expectReplaced(reply, 'refused', [...served.sink.ids()])
    expect(calls).toBe(0)
  })

  it('is recorded with the status that refuses it', async () => {
    const served = await serveUpgrades((socket) => {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    })
    const wire = await upgraded(served.port)
    expect((await wire.toEnd())[0]?.status).toBe(401)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 401'])
  })

  it('is followed by what the response says when the handler answers there', async () => {
    const served = await serve({
      declare: (app) => {
        routeUpgrades(app, () => undefined)
        app.get('/denied', (_, reply) => {
          reply.raw.on('finish', () => reply.raw.req.socket.end())
          return reply.code(403).send('no')
        })
      },
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/denied', headers: { connection: 'upgrade', upgrade: 'echo' } }))
    expect(parseReplies(await wire.until(() => false))[0]?.status).toBe(403)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 403 (no)'])
  })
})
