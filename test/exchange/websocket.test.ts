import websocket from '@fastify/websocket'
import type { FastifyContextConfig, FastifyInstance, preHandlerHookHandler } from 'fastify'
import { describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { SinkOptions } from '../../src/index.js'
import { NEVER, type StagedSink, turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES, type Guarantee, outcomeOf, SINK_STATES, timeoutFor } from './oracle.js'
import { deferred, type Served, serve, trailOf } from './server.js'

interface Watched {
  runs: number
  /** Trail at the time when the socket's handler began. */
  trailAtStart: string[]
  sink: StagedSink | undefined
}

function echo(app: FastifyInstance, watched: Watched, preHandler: preHandlerHookHandler[] = []): void {
  app.get('/ws', { websocket: true, preHandler }, (socket) => {
    watched.runs++
    watched.trailAtStart = watched.sink?.trail() ?? []
    socket.on('message', (message) => socket.send(String(message)))
  })
}

type Place = 'after the plugin' | 'websocket before the plugin' | 'route before the plugin'

async function serveSockets(
  guarantee: Guarantee,
  place: Place,
  prepare: (app: FastifyInstance) => void = () => undefined,
  preHandler: preHandlerHookHandler[] = [],
  timeout: SinkOptions['timeout'] = NEVER,
): Promise<Served & { watched: Watched }> {
  const watched: Watched = { runs: 0, trailAtStart: [], sink: undefined }
  const served = await serve({
    deliveryGuarantee: guarantee,
    timeout,
    before: async (app) => {
      if (place !== 'after the plugin') await app.register(websocket)
      if (place === 'route before the plugin') echo(app, watched, preHandler)
    },
    declare: async (app) => {
      if (place === 'after the plugin') await app.register(websocket)
      prepare(app)
      if (place !== 'route before the plugin') echo(app, watched, preHandler)
    },
  })
  watched.sink = served.sink
  return { ...served, watched }
}

/** Returns what a real client gets: an echo, or the status of the reply that denied it. */
async function shake(port: number, path = '/ws'): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  return new Promise((resolve, reject) => {
    socket.on('open', () => socket.send('ping'))
    socket.on('message', (message) => {
      socket.once('close', () => resolve(String(message)))
      socket.close()
    })
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    socket.on('error', reject)
  })
}

describe.each(['after the plugin', 'websocket before the plugin', 'route before the plugin'] as const)(
  'an upgrade, declared %s',
  (place) => {
    expectNothingUncaught()

    for (const guarantee of GUARANTEES) {
      it.each(SINK_STATES)(`${guarantee}, and the sink $name`, async (state) => {
        const outcome = outcomeOf({ name: '', status: 101 }, state, guarantee)
        const { reply, trail } = outcome
        const served = await serveSockets(guarantee, place, undefined, undefined, timeoutFor(state, outcome))
        served.sink.received = state.received
        served.sink.complete = state.complete
        const got = await shake(served.port)
        if (state.received === 'hangs' || state.complete === 'hangs') served.sink.recover()
        // The socket's handler counts as the handler: if it has not run, the request may be repeated.
        expect(got).toBe(reply === 'own' ? 'ping' : 503)
        expect(served.watched.runs).toBe(reply === 'own' ? 1 : 0)
        if (guarantee === 'enforced' && reply === 'own') {
          expect(served.watched.trailAtStart).toEqual(['Received', 'Complete 101'])
        }
        expect(await trailOf(served)).toEqual(
          trail.map((entry) =>
            entry.replace('correction 500 (FST_AUDIT_RESPONSE_WITHHELD)', 'correction 503 (FST_AUDIT_NOT_RECORDED)'),
          ),
        )
        expect(served.app.audit.stats().open).toBe(0)
      })
    }

    it('that is denied is recorded as any reply', async () => {
      const served = await serveSockets('enforced', place, (app) => {
        app.addHook('preValidation', async (_, reply) => reply.code(401).send({ message: 'no token' }))
      })
      expect(await shake(served.port)).toBe(401)
      expect(served.watched.runs).toBe(0)
      expect(await trailOf(served)).toEqual(['Received', 'Complete 401 (no token)'])
    })

    it('that is injected and denied is told so', async () => {
      const served = await serveSockets('enforced', place, (app) => {
        app.addHook('preValidation', async (_, reply) => reply.code(401).send())
      })
      await expect(served.app.injectWS('/ws')).rejects.toThrow('Unexpected server response: 401')
      expect(await trailOf(served)).toEqual(['Received', 'Complete 401'])
    })

    it('that is injected and denied, which cannot be recorded, is told of the answer in its place', async () => {
      const served = await serveSockets('enforced', place, (app) => {
        app.addHook('preValidation', async (_, reply) => reply.code(401).send())
      })
      served.sink.complete = 'fails'
      await expect(served.app.injectWS('/ws')).rejects.toThrow('Unexpected server response: 500')
      expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
    })

    it('that is denied and cannot be recorded does not tell why', async () => {
      const served = await serveSockets('enforced', place, (app) => {
        app.addHook('preValidation', async (_, reply) => reply.code(401).send({ message: 'no token' }))
      })
      served.sink.complete = 'fails'
      expect(await shake(served.port)).toBe(500)
      expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
    })

    it('to no route is a 404', async () => {
      const served = await serveSockets('enforced', place)
      expect(await shake(served.port, '/nowhere')).toBe(404)
      expect(await trailOf(served)).toEqual(['Received', 'Complete 404 (Route GET:/nowhere not found)'])
    })

    it('whose key is wrong is corrected to the 400 that the client gets', async () => {
      const served = await serveSockets('enforced', place)
      const wire = await Wire.open(served.port)
      const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
      wire.send(requestBytes({ url: '/ws', headers: { ...headers, 'sec-websocket-key': 'wrong' } }))
      expect((await wire.toEnd()).map(({ status }) => status)).toEqual([400])
      expect(served.watched.runs).toBe(0)
      expect(await trailOf(served)).toEqual(['Received', 'Complete 101', 'correction 400'])
    })
  },
)

describe('an upgrade', () => {
  expectNothingUncaught()

  it.each(['after the plugin', 'websocket before the plugin'] as const)(
    "that a route's last preHandler denies is never recorded as a 101 (%s)",
    async (place) => {
      const deny: preHandlerHookHandler = (_, reply, done) => {
        reply.code(403).send({ message: 'not yours' })
        done()
      }
      const served = await serveSockets('enforced', place, undefined, [(_, __, done) => done(), deny])
      expect(await shake(served.port)).toBe(403)
      expect(await trailOf(served)).toEqual(['Received', 'Complete 403 (not yours)'])
    },
  )

  it('is an ordinary request once the websocket library has stopped to listen, as a closing one does', async () => {
    const served = await serveSockets('enforced', 'after the plugin', (app) => {
      app.get('/plain', async () => 'hello')
    })
    const [listener] = served.app.server.listeners('upgrade')
    served.app.server.off('upgrade', listener as () => void)
    expect(await shake(served.port, '/plain')).toBe(200)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })

  it('does not include a plain request to a websocket route', async () => {
    const served = await serveSockets('enforced', 'after the plugin')
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/ws' }))
    expect((await wire.toEnd()).map(({ status }) => status)).toEqual([404])
    expect(await trailOf(served)).toEqual(['Received', 'Complete 404'])
  })

  it('to a route without a websocket is what the websocket library makes of it', async () => {
    const served = await serveSockets('enforced', 'after the plugin', (app) => app.get('/', async () => 'hello'))
    const socket = new WebSocket(`ws://127.0.0.1:${served.port}/`)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101'])
  })

  it.each(['after the plugin', 'websocket before the plugin'] as const)('by injectWS (%s)', async (place) => {
    const served = await serveSockets('enforced', place)
    await served.app.ready()
    const socket = await served.app.injectWS('/ws')
    const answer = new Promise((resolve) => socket.once('message', (message) => resolve(String(message))))
    socket.send('ping')
    expect(await answer).toBe('ping')
    socket.terminate()
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101'])
  })

  it('has one Complete and is not handed over if the server closed before its last hook', async () => {
    const hook = deferred()
    const served = await serveSockets('enforced', 'after the plugin', undefined, [async () => hook.promise])
    let isOpened = false
    served.app.injectWS(
      '/ws',
      {},
      {
        onOpen: () => {
          isOpened = true
        },
      },
    )
    await until(() => served.app.audit.stats().open === 1)
    await served.app.close()
    hook.resolve()
    await turns(5)
    expect(isOpened).toBe(false)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 500 (server closed)'])
    expect(served.app.audit.stats()).toMatchObject({ open: 0, corrected: 0, sinks: { staged: { lost: 0 } } })
    expect(served.watched.runs).toBe(0)
  })

  it('is recorded where the config of its route is frozen, and not changed', async () => {
    const config: FastifyContextConfig = Object.freeze({})
    const served = await serve({
      declare: async (app) => {
        await app.register(websocket)
        app.get('/frozen', { websocket: true, config }, (socket) => {
          socket.on('message', () => socket.send('pong'))
        })
      },
    })
    expect(await shake(served.port, '/frozen')).toBe('pong')
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101'])
  })

  it('is recorded once for each of many clients at once', async () => {
    const served = await serveSockets('enforced', 'after the plugin')
    served.sink.received = 'is slow'
    served.sink.complete = 'is slow'
    const echoes = await Promise.all(Array.from({ length: 10 }, () => shake(served.port)))
    expect(echoes).toEqual(Array.from({ length: 10 }, () => 'ping'))
    const trail = await trailOf(served)
    expect(trail.filter((entry) => entry === 'Complete 101')).toHaveLength(10)
    expect(served.sink.ids().size).toBe(10)
  })
})
