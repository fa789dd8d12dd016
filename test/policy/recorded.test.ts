import { Readable } from 'node:stream'
import Fastify, { type FastifyRequest } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, {
  type AuditOptions,
  type AuditStats,
  type DeliveryGuarantee,
  type MemorySink,
  memorySink,
  type SelectorOptions,
  type TrailEvent,
} from '../../src/index.js'

const header = (name: string) => (request: FastifyRequest) => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
const user = header('x-user')
const identity: AuditOptions['identity'] = (request) => {
  const accessorId = user(request)
  return accessorId === undefined ? undefined : { accessorId }
}

type Sinks = Record<string, { only?: SelectorOptions[]; bestEffort?: boolean; sink?: MemorySink }>

/** A server with these sinks, each in memory, which begins with nothing in them. */
async function server(sinks: Sinks, options: AuditOptions = {}) {
  const app = Fastify()
  onTestFinished(() => app.close())
  const memories = Object.fromEntries(Object.entries(sinks).map(([name, { sink }]) => [name, sink ?? memorySink()]))
  await app.register(audit, {
    identity,
    namespace: header('x-tenant'),
    ...options,
    sinks: Object.entries(sinks).map(([name, { only, bestEffort }]) => {
      const deliveryGuarantee: DeliveryGuarantee = bestEffort ? 'best-effort' : 'enforced'
      return { name, sink: memories[name] ?? memorySink(), ...(only && { only }), deliveryGuarantee }
    }),
  })
  return {
    app,
    /** The records of each sink, without the trail's own. */
    async trails(): Promise<Record<string, string[]>> {
      await app.audit.flush()
      return Object.fromEntries(Object.entries(memories).map(([name, sink]) => [name, recordsOf(sink)]))
    },
    counts(): Pick<AuditStats, 'audited' | 'excluded' | 'unclaimed'> {
      const { audited, excluded, unclaimed } = app.audit.stats()
      return { audited, excluded, unclaimed }
    },
  }
}

function recordsOf(sink: MemorySink): string[] {
  const records = sink.entries.map(({ event }): string => describeEvent(event))
  return records.filter((text) => text !== '')
}

function describeEvent({ payload }: TrailEvent): string {
  if (payload.type === 'audit') {
    const { operation, endpoint } = payload.request
    return `${operation} ${endpoint} ${payload.response?.status_code ?? ''}`.trim()
  }
  if (payload.type === 'action') return `${payload.action} ${payload.stage ?? 'event'} ${payload.outcome ?? ''}`.trim()
  if (payload.type === 'end') return 'end'
  return payload.type === 'correction' ? `correction ${payload.correction.status_code}` : ''
}

describe('a sink of each tenant', () => {
  const tenants: Sinks = {
    acme: { only: [{ namespaces: ['acme'] }] },
    initech: { only: [{ namespaces: ['initech'] }] },
    alerts: { only: [{ statuses: ['4xx', '5xx'] }], bestEffort: true },
  }

  it('holds its requests, its actions and its work, and nothing of another', async () => {
    const { app, trails, counts } = await server(tenants)
    app.get('/jobs', async (request) => {
      await request.audit.record({ action: 'job.list', outcome: 'success' })
      return []
    })
    await app.ready()
    for (const tenant of ['acme', 'initech', 'acme']) {
      const { statusCode } = await app.inject({ url: '/jobs', headers: { 'x-tenant': tenant } })
      expect(statusCode).toBe(200)
    }
    await app.inject({ url: '/nowhere', headers: { 'x-tenant': 'initech' } })
    await app.audit.run({ action: 'job.sweep', namespace: 'acme' }, async () => undefined)
    const job = ['GET /jobs', 'job.list event success', 'GET /jobs 200']
    expect(await trails()).toEqual({
      acme: [...job, ...job, 'job.sweep OperationReceived', 'job.sweep OperationComplete success'],
      initech: [...job, 'GET /nowhere', 'GET /nowhere 404'],
      alerts: ['GET /nowhere 404'],
    })
    expect(counts()).toEqual({ audited: 4, excluded: 0, unclaimed: 0 })
  })

  it('leaves another one unclaimed: counted, served, and in the sinks that are not enforced', async () => {
    const { app, trails, counts } = await server(tenants)
    app.get('/jobs', async () => [])
    await app.ready()
    await app.inject({ url: '/jobs', headers: { 'x-tenant': 'globex' } })
    expect(counts()).toEqual({ audited: 1, excluded: 0, unclaimed: 1 })
    await app.inject('/nowhere')
    await app.audit.record({ action: 'job.list' })
    await app.audit.run({ action: 'job.sweep' }, async () => undefined)
    expect(counts()).toEqual({ audited: 2, excluded: 0, unclaimed: 4 })
    expect(await trails()).toEqual({ acme: [], initech: [], alerts: ['GET /nowhere 404'] })
  })

  it('that fails stops its own requests alone', async () => {
    const broken = memorySink()
    const { app } = await server({ ...tenants, acme: { only: [{ namespaces: ['acme'] }], sink: broken } })
    app.get('/jobs', async () => [])
    await app.ready()
    await app.audit.flush()
    broken.fail()
    expect((await app.inject({ url: '/jobs', headers: { 'x-tenant': 'acme' } })).statusCode).toBe(503)
    expect((await app.inject({ url: '/jobs', headers: { 'x-tenant': 'initech' } })).statusCode).toBe(200)
  })
})

describe('requests that no sink selects', () => {
  it('are excluded, and unclaimed', async () => {
    const { app, counts, trails } = await server({ a: { only: [{ endpoints: ['/v1/*'] }] } })
    app.get('/health', async (request) => request.audit.annotate({ seen: true }))
    await app.ready()
    expect((await app.inject('/health')).json()).toBe(false)
    expect(counts()).toEqual({ audited: 0, excluded: 1, unclaimed: 1 })
    expect(await trails()).toEqual({ a: [] })
  })

  it('are excluded, and not unclaimed, if a filter of the plugin excludes them', async () => {
    const filters = [{ endpoints: ['/health'], stages: ['*' as const], operations: ['*'] }]
    const { app, counts } = await server({ a: { only: [{ endpoints: ['/v1/*'] }] } }, { filters })
    await app.ready()
    await app.inject('/health')
    expect(counts()).toEqual({ audited: 0, excluded: 1, unclaimed: 0 })
  })

  it('are not unclaimed if an enforced sink has no `only`, or none is enforced', async () => {
    const some = { only: [{ endpoints: ['/v1/*'] }] }
    for (const sinks of [{ a: some, b: {} }, { a: { ...some, bestEffort: true } }]) {
      const { app, counts } = await server(sinks)
      await app.ready()
      await app.inject('/health')
      expect(counts().unclaimed).toBe(0)
    }
  })

  it('are warned of at boot', async () => {
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const app = Fastify({ logger: { level: 'warn', stream } })
    onTestFinished(() => app.close())
    await app.register(audit, { sinks: [{ name: 'a', sink: memorySink(), only: [{ namespaces: ['acme'] }] }] })
    await app.ready()
    expect(lines.join('')).toContain('is counted as `unclaimed`')
  })

  it('are in the start entry of every sink, which lists the selectors', async () => {
    const sink = memorySink()
    const { app } = await server({ a: { only: [{ actions: ['x'] }], sink }, b: { only: [{ namespaces: ['b'] }] } })
    await app.ready()
    await app.audit.flush()
    const start = sink.entries.map(({ event }) => event.payload).find(({ type }) => type === 'start')
    expect(start).toMatchObject({
      start: {
        only: [
          { sink: 'a', actions: ['x'] },
          { sink: 'b', namespaces: ['b'] },
        ],
      },
    })
  })
})

describe('a sink that selects by what is known at the end', () => {
  it('gets the end of requests by their status, and a correction only if it had the end', async () => {
    const broken = memorySink()
    const { app, trails } = await server({
      broken: { sink: broken },
      good: { only: [{ statuses: ['2xx'] }] },
      bad: { only: [{ statuses: ['5xx'] }] },
    })
    app.get('/jobs', async () => {
      broken.fail()
      return []
    })
    await app.ready()
    await app.audit.flush()
    expect((await app.inject('/jobs')).statusCode).toBe(500)
    broken.recover()
    const { good, bad } = await trails()
    expect(good).toEqual(['GET /jobs 200', 'correction 500'])
    expect(bad).toEqual([])
  })

  it('gets requests by the action: of the route from receipt on, of the handler at the end', async () => {
    const refunds = [{ actions: ['invoice.refund'] }]
    const { app, trails } = await server({
      all: {},
      refunds: { only: refunds },
      invoice7: { only: [{ targets: ['invoice:7'] }] },
      denied: { only: [{ outcomes: ['denied'] }] },
    })
    const targets = ({ params }: { params: Readonly<Record<string, string>> }) => [{ type: 'invoice', id: params.id }]
    app.post('/declared/:id', { config: { audit: { action: 'invoice.refund', targets } } }, async (_, reply) =>
      reply.code(403).send(),
    )
    app.post('/said/:id', async (request) => {
      request.audit.action('invoice.refund')
      request.audit.target({ type: 'invoice', id: 7 })
      return ''
    })
    app.post('/changed', { config: { audit: { action: 'invoice.refund' } } }, async (request) => {
      request.audit.action('invoice.keep')
      return ''
    })
    app.post('/other', async () => '')
    await app.ready()
    for (const url of ['/declared/7', '/said/8', '/changed', '/other']) await app.inject({ method: 'POST', url })
    expect(await trails()).toMatchObject({
      refunds: ['POST /declared/7', 'POST /declared/7 403', 'POST /said/8 200', 'POST /changed', 'POST /changed 200'],
      invoice7: ['POST /declared/7', 'POST /declared/7 403', 'POST /said/8 200'],
      denied: ['POST /declared/7 403'],
    })
  })

  it('gets work by its outcome', async () => {
    const { app, trails, counts } = await server({ a: { only: [{ outcomes: ['failure'] }] } })
    await app.ready()
    await app.audit.run({ action: 'one' }, async () => undefined)
    await expect(app.audit.run({ action: 'two' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await trails()).toEqual({ a: ['two OperationComplete failure'] })
    expect(counts().unclaimed).toBe(1)
  })
})

describe('the end of a reply that breaks', () => {
  it('goes to the sinks that had its Complete, and to no other', async () => {
    const { app, trails } = await server({
      all: {},
      found: { only: [{ statuses: ['2xx'] }] },
      failed: { only: [{ statuses: ['5xx'] }] },
      acme: { only: [{ namespaces: ['acme'] }] },
    })
    app.get('/broken', (_, reply) =>
      reply.send(
        Readable.from(
          (async function* () {
            yield 'begun'
            await app.audit.flush()
            throw new Error('the source is gone')
          })(),
        ),
      ),
    )
    await app.ready()
    await app.inject('/broken').then(
      () => undefined,
      () => undefined,
    )
    expect(await trails()).toEqual({
      all: ['GET /broken', 'GET /broken 200', 'end'],
      found: ['GET /broken 200', 'end'],
      failed: [],
      acme: [],
    })
  })
})

describe('filters of actions', () => {
  it('take events and stages of work out of the trail, and no request', async () => {
    const { app, trails } = await server(
      { a: {} },
      {
        level: 'metadata',
        filters: [
          { type: 'ActionEvent', actions: ['cache.*'], outcomes: ['success'] },
          { type: 'ActionEvent', actions: ['job.*'], stages: ['OperationReceived'], actors: ['service:*'] },
        ],
      },
    )
    app.get('/x', { config: { audit: { action: 'cache.fill' } } }, async () => '')
    await app.ready()
    await app.audit.record({ action: 'cache.fill', outcome: 'success' })
    await app.audit.record({ action: 'cache.fill', outcome: 'failure' })
    await app.audit.run({ action: 'job.run', actor: { accessorId: 'service:cron' } }, async () => undefined)
    await app.audit.run({ action: 'job.run', actor: { accessorId: 'u1' } }, async () => undefined)
    await app.inject('/x')
    expect(await trails()).toEqual({
      a: [
        'cache.fill event failure',
        'job.run OperationComplete success',
        'job.run OperationReceived',
        'job.run OperationComplete success',
        'GET /x',
        'GET /x 200',
      ],
    })
  })

  it('are the only way to leave them out: a level is of requests', async () => {
    const { app, trails } = await server({ a: {} }, { level: 'none' })
    app.get('/x', async () => '')
    await app.ready()
    await app.inject('/x')
    await app.audit.record({ action: 'cache.fill' })
    expect(await trails()).toEqual({ a: ['cache.fill event'] })
  })
})

describe('an actor', () => {
  it('is asked for once before the records are made, and the records have the same', async () => {
    const sink = memorySink()
    let asked = 0
    const { app } = await server(
      { a: { sink } },
      {
        identity: (request) => {
          asked++
          return identity(request)
        },
        filters: [{ endpoints: ['*'], stages: ['OperationReceived'], operations: ['*'], actors: ['service:*'] }],
        rules: [{ actors: ['root'], level: 'none' }],
      },
    )
    const askedAtReceipt: number[] = []
    app.get('/x', async () => {
      askedAtReceipt.push(asked)
      asked = 0
      return ''
    })
    await app.ready()
    for (const name of ['service:scraper', 'u1', 'root']) await app.inject({ url: '/x', headers: { 'x-user': name } })
    await app.inject('/x')
    expect(askedAtReceipt).toEqual([1, 2, 2, 1])
    const actors = sink.events.map(({ payload }) => `${payload.stage} ${payload.auth.accessor_id}`)
    expect(actors).toEqual([
      'OperationComplete service:scraper',
      'OperationReceived u1',
      'OperationComplete u1',
      'OperationReceived anonymous',
      'OperationComplete anonymous',
    ])
  })

  it('is the one at receipt, also where it is filtered by status', async () => {
    let name: string | undefined
    const filters: AuditOptions['filters'] = [
      { endpoints: ['*'], stages: ['OperationComplete'], operations: ['*'], statuses: ['2xx'], actors: ['u1'] },
    ]
    const { app, trails } = await server(
      { a: {} },
      { identity: () => (name === undefined ? undefined : { accessorId: name }), filters },
    )
    app.get('/x', async () => {
      name = 'u1'
      return ''
    })
    await app.ready()
    await app.inject('/x')
    expect(await trails()).toEqual({ a: ['GET /x', 'GET /x 200'] })
    await app.inject('/x')
    expect(await trails()).toEqual({ a: ['GET /x', 'GET /x 200', 'GET /x'] })
  })

  it('is anonymous if `identity` throws or returns what is no identity, and that is counted once for each record', async () => {
    const sink = memorySink()
    const identities = [() => JSON.parse('nothing'), () => JSON.parse('{"name":"nobody"}')]
    const { app } = await server(
      { a: { sink, only: [{ actors: ['anonymous'] }] } },
      { identity: () => identities[sink.events.length < 2 ? 0 : 1]?.() },
    )
    app.get('/x', async () => '')
    await app.ready()
    await app.inject('/x')
    await app.inject('/x')
    expect(sink.events.map(({ payload }) => payload.auth.accessor_id)).toEqual(Array(4).fill('anonymous'))
    expect(app.audit.stats().identityErrors).toBe(4)
  })
})

describe("a sink with `only` by action, if the route's action is known at receipt", () => {
  it.each([
    [['OperationComplete'] as const, ['GET /x']],
    [['OperationReceived'] as const, ['GET /x 200']],
  ])('records the rest of what the filters exclude: %j', async (stages, recorded) => {
    const filters: AuditOptions['filters'] = [{ endpoints: ['*'], stages: [...stages], operations: ['*'] }]
    const { app, trails, counts } = await server({ a: { only: [{ actions: ['x.read'] }] } }, { filters })
    app.get('/x', { config: { audit: { action: 'x.read' } } }, async () => '')
    app.get('/y', { config: { audit: { action: 'y.read' } } }, async () => '')
    await app.ready()
    await app.inject('/x')
    expect(await trails()).toEqual({ a: recorded })
    expect(counts()).toMatchObject({ audited: 1, excluded: 0, unclaimed: 0 })
    await app.inject('/y')
    expect(await trails()).toEqual({ a: recorded })
    expect(counts()).toMatchObject({ unclaimed: 1 })
  })
})
