import { inspect } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AppAudit, type AuditSink, memorySink } from '../../src/index.js'
import { listen } from '../exchange/runner.js'
import { deferred, serve, trailOf } from '../exchange/server.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask } from '../support/wire.js'

function server(): FastifyInstance {
  const app = Fastify()
  onTestFinished(() => app.close())
  return app
}

const sinks = () => [{ name: 'memory', sink: memorySink() }]

describe('where the plugin is registered', () => {
  expectNothingUncaught()

  it('must be the root', async () => {
    const app = server()
    app.register(async (child) => {
      await child.register(audit, { sinks: sinks() })
    })
    await expect(app.ready()).rejects.toMatchObject({
      code: 'FST_AUDIT_NOT_AT_ROOT',
      message: expect.stringContaining('`export default fp(app)`'),
    })
  })

  it('is the root in a plugin that fastify-plugin wraps, 404s included', async () => {
    const app = server()
    const sink = memorySink()
    app.register(
      fp(async (server) => {
        await server.register(audit, { sinks: [{ name: 'memory', sink }] })
      }),
    )
    expect((await app.inject('/nothing')).statusCode).toBe(404)
    expect(sink.events).toHaveLength(2)
  })

  it.each(['root', 'plugin'] as const)('must not be two places (the second with scope %s)', async (scope) => {
    const app = server()
    await app.register(audit, { sinks: sinks() })
    app.register(async (child) => {
      const place = scope === 'root' ? app : child
      await place.register(audit, { sinks: sinks(), scope })
    })
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_AUDIT_ALREADY_REGISTERED' })
  })

  it("is a part of the server with scope 'plugin', which alone is recorded", async () => {
    const app = server()
    const sink = memorySink()
    app.get('/outside', async () => 'hello')
    let part: AppAudit | undefined
    app.register(async (child) => {
      await child.register(audit, { sinks: [{ name: 'memory', sink }], scope: 'plugin' })
      part = child.audit
      child.get('/inside', async (request) => request.audit.id)
    })
    const port = await listen(app)
    const [[outside], [inside]] = [await ask(port, { url: '/outside' }), await ask(port, { url: '/inside' })]
    expect(outside?.status).toBe(200)
    expect(sink.events.map(({ payload }) => [payload.id, payload.stage])).toEqual([
      [inside?.body, 'OperationReceived'],
      [inside?.body, 'OperationComplete'],
    ])
    expect(part?.stats()).toMatchObject({ audited: 1, unseen: {} })
  })

  it.each(['root', 'plugin'] as const)('lets go of its sinks when the boot fails later (scope %s)', async (scope) => {
    const app = Fastify()
    const closed = deferred()
    const sink: AuditSink = { write: async () => undefined, close: async () => closed.resolve() }
    if (scope === 'root') await app.register(audit, { sinks: [{ name: 'watched', sink }] })
    app.register(async (child) => {
      if (scope === 'plugin') await child.register(audit, { sinks: [{ name: 'watched', sink }], scope })
      child.addHook('onReady', async () => {
        throw new Error('no database')
      })
    })
    await expect(app.ready()).rejects.toThrow('no database')
    await closed.promise
  })
})

describe('enabled: false', () => {
  expectNothingUncaught()

  it('records nothing, opens nothing, and leaves everything to call', async () => {
    const calls: string[] = []
    const note = (name: string) => async (): Promise<void> => void calls.push(name)
    const sink: AuditSink = { open: note('open'), write: note('write'), idle: note('idle'), close: note('close') }
    const app = server()
    await app.register(audit, { enabled: false, sinks: [{ name: 'watched', sink }] })
    app.get('/', async (request) => ({ annotated: request.audit.annotate({ a: 1 }), id: typeof request.audit.id }))
    const [reply] = await ask(await listen(app), {})
    expect(reply?.status).toBe(200)
    expect(JSON.parse(reply?.body ?? '')).toMatchObject({ id: 'string' })
    await app.audit.flush()
    await app.audit.reopen()
    expect(app.audit.healthy).toBe(true)
    expect(app.audit.stats()).toMatchObject({ audited: 0, excluded: 0, open: 0, sinks: {} })
    await app.close()
    expect(calls).toEqual([])
  })
})

describe('config.audit', () => {
  expectNothingUncaught()

  it('false leaves a route out, and the start entry names it', async () => {
    const served = await serve({
      declare: (app) => {
        app.get('/health', { config: { audit: false } }, async (request) => request.audit.annotate({ a: 1 }))
        app.get('/jobs', { config: { audit: true } }, async () => 'hello')
      },
    })
    served.sink.received = 'fails'
    served.sink.complete = 'fails'
    expect((await ask(served.port, { url: '/health' }))[0]).toMatchObject({ status: 200, body: 'false' })
    expect((await ask(served.port, { url: '/jobs' }))[0]?.status).toBe(503)
    expect(served.app.audit.stats()).toMatchObject({ excluded: 1, audited: 1 })
    const start = served.sink.stored.find(({ event }) => event.payload.type === 'start')
    expect(start?.event.payload).toMatchObject({ start: { exempted_routes: ['GET /health', 'HEAD /health'] } })
  })

  it('false on a route that was declared before the plugin is logged once, for the start entry lacks it', async () => {
    const logged: string[] = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => void logged.push(line) } } })
    onTestFinished(() => app.close())
    app.get('/early', { config: { audit: false } }, async () => 'hello')
    await app.register(audit, { sinks: sinks() })
    app.get('/late', { config: { audit: false } }, async () => 'hello')
    for (const url of ['/early', '/early', '/late']) await app.inject(url)
    expect(logged.filter((line) => line.includes('audit: false'))).toEqual([
      expect.stringContaining('"route":"/early"'),
    ])
  })

  it.each([
    ['no', '- config.audit of route /: "no" is not an object; write `audit: false`, or as { … }'],
    [{ level: 'respons' }, "- config.audit.level of route /: \"respons\" is not 'none', 'metadata', 'request' or"],
    [{ levl: 1 }, '- config.audit.levl of route /: 1 is not an option; did you mean `level`?'],
    [null, '- config.audit of route /: null is not an object'],
  ])('%j stops the boot', async (value, message) => {
    const app = server()
    await app.register(audit, { sinks: sinks() })
    const config: object = { audit: value }
    expect(() => app.get('/', { config }, async () => 'hello')).toThrow(message)
  })
})

describe('request.audit', () => {
  expectNothingUncaught()

  it('is the same object each time, and gives away nothing but what it promises', async () => {
    const served = await serve({
      declare: (app) => {
        app.get('/', async (request) => [
          Object.is(request.audit, request.audit),
          'receive' in request.audit,
          inspect(request.audit, { depth: 9, getters: false }),
          request.audit.id.length,
        ])
      },
    })
    const { body } = await served.app.inject('/')
    expect(JSON.parse(body)).toEqual([true, false, 'FollowedAudit {}', 36])
  })

  it('adds to the Complete until it is made, from any hook, and says when it is too late', async () => {
    const answers: boolean[] = []
    const served = await serve({
      before: (app) =>
        app.addHook('onRequest', async (request) => {
          answers.push(request.audit.annotate({ before: 1 }))
        }),
      declare: (app) => {
        app.addHook('onSend', async (request) => {
          answers.push(request.audit.annotate({ sending: 3 }))
        })
        app.addHook('onResponse', async (request) => {
          answers.push(request.audit.annotate({ late: 4 }))
        })
        app.get('/', async (request) => {
          answers.push(request.audit.annotate({ handling: 2 }))
          return request.audit.id
        })
      },
    })
    const [reply] = await ask(served.port, {})
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
    expect(answers).toEqual([true, true, true, false])
    expect(served.app.audit.stats().annotationsTooLate).toBe(1)
    expect(served.sink.stored.at(-1)?.event.payload).toMatchObject({
      id: reply?.body,
      annotations: { before: 1, handling: 2, sending: 3 },
    })
  })
})
