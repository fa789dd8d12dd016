import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { auditFrameworkErrors, memorySink } from '../../src/index.js'
import { GUARANTEES, outcomeOf, SINK_STATES, timeoutFor } from '../exchange/oracle.js'
import { expectReplaced, HTTP1, withoutPlugin } from '../exchange/runner.js'
import { serve, trailOf } from '../exchange/server.js'
import { KNOWS } from '../support/fastify.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, Wire } from '../support/wire.js'

/** URLs that Fastify refuses before any hook. */
const REFUSED_URLS = [
  { url: '/%zz', status: 400 },
  ...(KNOWS.overlongParameters ? [{ url: `/items/${'x'.repeat(200)}`, status: 414 }] : []),
]

describe.each(REFUSED_URLS)('a URL that Fastify refuses, $status', ({ url, status }) => {
  expectNothingUncaught()

  for (const guarantee of GUARANTEES) {
    it.each(SINK_STATES)(`auditFrameworkErrors, ${guarantee}, and the sink $name`, async (state) => {
      const declare = (app: FastifyInstance) => app.get('/items/:id', async () => 'hello')
      const bare = await withoutPlugin({ name: '', status, declare, request: { url } }, HTTP1)
      const error: string = JSON.parse(bare.replies[0]?.body ?? '{}').message
      const outcome = outcomeOf({ name: '', status, error, runs: false }, state, guarantee)
      const served = await serve({
        factory: { frameworkErrors: auditFrameworkErrors() },
        deliveryGuarantee: guarantee,
        timeout: timeoutFor(state, outcome),
        declare,
      })
      served.sink.received = state.received
      served.sink.complete = state.complete
      const [reply] = await ask(served.port, { url })
      if (state.received === 'hangs' || state.complete === 'hangs') served.sink.recover()
      expect(await trailOf(served)).toEqual(outcome.trail)
      if (outcome.reply !== 'own') expectReplaced(reply, outcome.reply, [...served.sink.ids()])
      else expect(reply).toMatchObject({ status: bare.replies[0]?.status, body: bare.replies[0]?.body })
    })
  }

  it('is answered by the own handler, which is not called when the request is refused', async () => {
    let calls = 0
    const served = await serve({
      factory: {
        frameworkErrors: auditFrameworkErrors((error, _, reply) => {
          calls++
          reply.code(422).send({ message: `own: ${error.code}` })
        }),
      },
      declare: (app) => app.get('/items/:id', async () => 'hello'),
    })
    expect((await ask(served.port, { url }))[0]?.status).toBe(422)
    served.sink.received = 'fails'
    expectReplaced((await ask(served.port, { url }))[0], 'refused', [])
    expect(calls).toBe(1)
    expect((await trailOf(served))[1]).toMatch(/^Complete 422/)
  })
})

describe('the boot', () => {
  expectNothingUncaught()

  it.each([
    ['without auditFrameworkErrors', {}, 1],
    ['with a handler that is not of it', { frameworkErrors: () => undefined }, 1],
    ['with it', { frameworkErrors: auditFrameworkErrors() }, 0],
  ])('warns of URLs that are not in the trail: %s', async (_, factory, count) => {
    const warnings: string[] = []
    const app = Fastify({ ...factory, logger: { level: 'warn', stream: { write: (line) => warnings.push(line) } } })
    onTestFinished(() => app.close())
    await app.register(audit, { sinks: [{ name: 'memory', sink: memorySink() }] })
    await app.ready()
    expect(warnings.filter((line) => line.includes('auditFrameworkErrors()'))).toHaveLength(count)
  })

  it('does not put them into the trail without it, but counts them', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    expect((await ask(served.port, { url: '/%zz' }))[0]?.status).toBe(400)
    expect(served.app.audit.stats().unseen).toEqual({ HTTP_400: 1 })
    expect(await trailOf(served)).toEqual([])
  })
})

describe('bytes that never become a request', () => {
  expectNothingUncaught()

  it.each([
    { name: 'a parse error', bytes: 'NONSENSE\r\n\r\n', kind: 'HPE_INVALID_METHOD', status: 400 },
    {
      name: 'too many headers',
      bytes: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      kind: 'HPE_HEADER_OVERFLOW',
      status: 431,
    },
    {
      name: 'an expectation that nobody meets',
      bytes: 'GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\nconnection: close\r\n\r\n',
      kind: 'HTTP_417',
      status: 417,
    },
    { name: 'no host', bytes: 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', kind: 'HTTP_400', status: 400 },
  ])('is counted by its kind: $name', async ({ bytes, kind, status }) => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    const wire = await Wire.open(served.port)
    wire.send(bytes)
    expect((await wire.toEnd())[0]?.status).toBe(status)
    await until(() => Object.keys(served.app.audit.stats().unseen).length > 0)
    expect(served.app.audit.stats().unseen).toEqual({ [kind]: 1 })
    expect(await trailOf(served)).toEqual([])
  })

  it('is counted by its kind: headers that do not end in time', async () => {
    const served = await serve({
      factory: { http: { connectionsCheckingInterval: 10 } },
      declare: (app) => app.get('/', async () => 'hello'),
    })
    const { server } = served.app
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const wire = await Wire.open(served.port)
    wire.send('GET / HTTP/1.1\r\nhost: a\r\n')
    const socket = await connected
    await until(() => socket.bytesRead > 0)
    // Node reads this setting at each check.
    server.headersTimeout = 1
    expect((await wire.toEnd())[0]?.status).toBe(408)
    expect(served.app.audit.stats().unseen).toEqual({ ERR_HTTP_REQUEST_TIMEOUT: 1 })
  })

  it('does not count another server of the same process, or what a filter or a route leaves out', async () => {
    const served = await serve({
      options: { filters: [{ endpoints: ['/filtered'], stages: ['*'], operations: ['*'] }] },
      declare: (app) => {
        app.get('/exempt', { config: { audit: false } }, async () => 'hello')
        app.get('/filtered', async () => 'hello')
      },
    })
    const other = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    for (const url of ['/exempt', '/filtered']) expect((await ask(served.port, { url }))[0]?.status).toBe(200)
    expect((await ask(other.port, { url: '/%zz' }))[0]?.status).toBe(400)
    expect(served.app.audit.stats()).toMatchObject({ unseen: {}, excluded: 2, audited: 0 })
    expect(await trailOf(served)).toEqual([])
  })
})
