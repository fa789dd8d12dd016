import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { AuditEvent, EventPayload, MemorySink, RequestAudit, RouteAudit } from '../../src/index.js'
import { audited } from '../support/app.js'

type Stage = EventPayload['stage']

function payloadOf(sink: MemorySink, stage: Stage): EventPayload {
  const found = sink.events.find(({ payload }: AuditEvent) => payload.stage === stage)
  if (found === undefined) throw new Error(`no ${stage}`)
  return found.payload
}

/** The records of one request to a route with this audit, whose handler does `handle`. */
async function recorded(
  audit: RouteAudit | undefined,
  handle: (audit: RequestAudit, request: FastifyRequest) => unknown,
  options: Parameters<typeof audited>[0] = {},
) {
  const { app, sink, logged } = await audited(options)
  app.post('/invoices/:id/refund', audit === undefined ? {} : { config: { audit } }, async (request, reply) => {
    const result = await handle(request.audit, request)
    return typeof result === 'number' ? reply.code(result).send({}) : { ok: true }
  })
  const reply = await app.inject({ method: 'POST', url: '/invoices/42/refund', payload: { to: 'x' } })
  await app.audit.flush()
  const [received, complete] = [payloadOf(sink, 'OperationReceived'), payloadOf(sink, 'OperationComplete')]
  return { reply, received, complete, stats: app.audit.stats(), logged, sink }
}

const nothing = () => undefined

describe('the action of a request', () => {
  it('is in both records as its route declares it, and ends by the status', async () => {
    const { received, complete } = await recorded(
      { action: 'invoice.refund', targets: ({ params }) => [{ type: 'invoice', id: params.id }] },
      nothing,
    )
    const known = { action: 'invoice.refund', targets: [{ type: 'invoice', id: '42' }] }
    expect(received).toMatchObject(known)
    expect(received).not.toHaveProperty('outcome')
    expect(complete).toMatchObject({ ...known, outcome: 'success' })
  })

  it('is in the second record as the handler gives it, which has the last word', async () => {
    const { received, complete } = await recorded({ action: 'invoice.change' }, (audit) => {
      expect(audit.action('invoice.refund')).toBe(true)
      expect(audit.target({ type: 'invoice', id: 42, name: 'March' })).toBe(true)
      expect(audit.target({ type: 'account', id: 'a-7' })).toBe(true)
      expect(audit.outcome('denied', 'over the limit')).toBe(true)
      audit.annotate({ amount: 9 })
    })
    expect(received).toMatchObject({ action: 'invoice.change' })
    expect(received).not.toHaveProperty('targets')
    expect(complete).toMatchObject({
      action: 'invoice.refund',
      targets: [
        { type: 'invoice', id: '42', name: 'March' },
        { type: 'account', id: 'a-7' },
      ],
      outcome: 'denied',
      reason: 'over the limit',
      annotations: { amount: 9 },
    })
  })

  it('leaves a request without one as it was', async () => {
    const { received, complete } = await recorded(undefined, nothing)
    for (const key of ['action', 'targets', 'outcome', 'reason', 'changes']) {
      expect(received).not.toHaveProperty(key)
      expect(complete).not.toHaveProperty(key)
    }
  })

  it.each([
    [200, 'success'],
    [204, 'success'],
    [304, 'success'],
    [400, 'failure'],
    [401, 'denied'],
    [403, 'denied'],
    [404, 'failure'],
    [500, 'failure'],
  ])('with the status %d is a %s', async (status, outcome) => {
    const { complete } = await recorded({ action: 'a' }, () => status)
    expect(complete).toMatchObject({ response: { status_code: status }, outcome })
  })

  it('asks for targets again when the body is parsed, if it got none at receipt', async () => {
    const asked: unknown[] = []
    const { received, complete, stats } = await recorded(
      {
        action: 'a',
        targets: ({ body }) => {
          asked.push(body)
          const to: unknown = Reflect.get(Object(body), 'to')
          if (typeof to !== 'string') throw new TypeError('no body')
          return { type: 'account', id: to }
        },
      },
      nothing,
    )
    expect(asked).toEqual([undefined, { to: 'x' }])
    expect(received).not.toHaveProperty('targets')
    expect(complete.targets).toEqual([{ type: 'account', id: 'x' }])
    expect(stats.actionErrors).toBe(0)
  })

  it.each<[string, () => never | unknown]>([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    ['returns a promise', () => Promise.reject(new Error('late'))],
    ['returns a number', () => 7],
    ['returns targets without an id', () => [{ type: 'invoice', id: undefined }]],
    ['returns a target whose getter throws', () => Object.defineProperty({}, 'type', { get: () => JSON.parse('{') })],
  ])('costs the record its targets alone when the `targets` function %s', async (_, targets) => {
    const audit = { action: 'a', targets } as unknown as RouteAudit
    const { reply, complete, stats, logged } = await recorded(audit, nothing)
    expect(reply.statusCode).toBe(200)
    expect(complete.action).toBe('a')
    expect(complete).not.toHaveProperty('targets')
    expect(stats.actionErrors).toBeGreaterThan(0)
    const warnings = logged.filter(({ msg }) => /targets? /.test(String(msg)))
    expect(warnings).toHaveLength(1)
  })

  it('holds at most 16 targets, each once', async () => {
    const { complete } = await recorded({ action: 'a' }, (audit) => {
      for (let id = 0; id < 16; id++) expect(audit.target({ type: 't', id })).toBe(true)
      expect(audit.target({ type: 't', id: 3 })).toBe(true)
      expect(audit.target({ type: 't', id: 16 })).toBe(false)
    })
    expect(complete.targets).toHaveLength(16)
    expect(complete.omitted).toEqual([{ path: 'targets.*', reason: 'too many targets' }])
  })

  it('is bounded, escaped and without secrets, whatever the text', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom('\0', '\ud800', 'x'.repeat(5000), '"}]', 'password=hunter2hunter2'),
    )
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, hostile, async (action, type, id, reason) => {
        const { complete, sink, stats } = await recorded(undefined, (audit) => {
          audit.action(action)
          audit.target({ type, id, name: reason })
          audit.outcome('failure', reason)
        })
        expect(stats.sinks.memory?.stored).toBe(sink.lines.length)
        expect(Buffer.byteLength(JSON.stringify(complete.action ?? ''))).toBeLessThan(2000)
        expect(sink.lines.join('')).not.toContain('hunter2hunter2')
      }),
      { numRuns: 30 },
    )
  })

  it('has the id of a target redacted if an option names its type as secret', async () => {
    const { complete } = await recorded(
      undefined,
      (audit) => {
        audit.target({ type: 'ssn', id: '078-05-1120' })
        audit.target({ type: 'api_key', id: 'k1' })
      },
      { options: { redact: { keys: ['ssn'] } } },
    )
    expect(complete).toMatchObject({
      targets: [
        { type: 'ssn', id: '[REDACTED]' },
        { type: 'api_key', id: 'k1' },
      ],
      redacted: 1,
    })
  })

  it('has the changes of all calls, within one bound', async () => {
    const { complete } = await recorded(
      undefined,
      (audit) => {
        const things = [{ sku: 'a', count: 1 }]
        expect(audit.changes({ state: 'open', password: 'hunter2' }, { state: 'paid', password: 'hunter3' })).toBe(true)
        expect(
          audit.changes(
            things,
            [
              { sku: 'b', count: 1 },
              { sku: 'a', count: 2 },
            ],
            { id: 'sku' },
          ),
        ).toBe(false)
        things.length = 0
        expect(audit.changes({ more: 1 }, { more: 2 })).toBe(false)
      },
      { options: { capture: { maxChanges: 3 } } },
    )
    expect(complete.changes).toEqual([
      { path: '/state', before: 'open', after: 'paid' },
      { path: '/password', before: '[REDACTED]', after: '[REDACTED]' },
      { path: '/0', id: 'b', after: { sku: 'b', count: 1 } },
    ])
    expect(complete).toMatchObject({ redacted: 2, omitted: [{ path: 'changes.*', reason: '2 changes too many' }] })
  })

  it('does not take what comes after the second record', async () => {
    const { app, sink } = await audited()
    let late: RequestAudit | undefined
    app.get('/', async (request) => {
      late = request.audit
      return ''
    })
    await app.inject('/')
    expect([
      late?.action('a'),
      late?.target({ type: 't', id: 1 }),
      late?.outcome('failure'),
      late?.identify({ accessorId: 'u' }),
    ]).toEqual([false, false, false, false])
    expect(app.audit.stats().annotationsTooLate).toBe(4)
    expect(payloadOf(sink, 'OperationComplete')).not.toHaveProperty('action')
  })

  it('refuses a route that says nothing, or what is not known', async () => {
    const { app } = await audited()
    const declare = (audit: unknown) => () => app.get('/x', { config: { audit } as object }, async () => '')
    expect(declare({})).toThrow(/config\.audit of route \/x: \{\} says nothing/)
    expect(declare({ action: '' })).toThrow(/action of route \/x/)
    expect(declare({ action: 'a', targets: async () => [] })).toThrow(/targets of route \/x.* is async/)
    expect(declare({ action: 'a', target: [] })).toThrow(/target/)
  })
})

describe('request.audit.identify', () => {
  it('names the caller of a login in its second record', async () => {
    const { received, complete } = await recorded({ action: 'session.login' }, (audit) => {
      expect(audit.identify({ accessorId: 'u-23', name: 'Bob' })).toBe(true)
    })
    expect(received.auth.accessor_id).toBe('anonymous')
    expect(complete.auth).toEqual({ accessor_id: 'u-23', name: 'Bob' })
    expect(complete).not.toHaveProperty('auth_changed')
  })

  it('never changes an identity that was known, but adds on whose behalf it acts', async () => {
    const options = { options: { identity: () => ({ accessorId: 'u-1' }) } }
    const other = await recorded(undefined, (audit) => audit.identify({ accessorId: 'u-2' }), options)
    expect(other.complete).toMatchObject({
      auth: { accessor_id: 'u-1' },
      auth_changed: true,
      auth_at_end: { accessor_id: 'u-2' },
    })
    const same = await recorded(undefined, (audit) => audit.identify({ accessorId: 'u-1', onBehalfOf: 'u-9' }), options)
    expect(same.received.auth).toEqual({ accessor_id: 'u-1' })
    expect(same.complete.auth).toEqual({ accessor_id: 'u-1', on_behalf_of: 'u-9' })
    expect(same.complete).not.toHaveProperty('auth_changed')
  })

  it('counts an identity that is none, and the request stays anonymous', async () => {
    const { complete, stats, reply } = await recorded(undefined, (audit) => {
      expect(audit.identify(JSON.parse('{}'))).toBe(false)
      expect(audit.identify(JSON.parse('"u-23"'))).toBe(false)
    })
    expect(reply.statusCode).toBe(200)
    expect(complete.auth.accessor_id).toBe('anonymous')
    expect(stats.identityErrors).toBe(1)
  })
})

describe('request.audit', () => {
  it('takes what hooks before the plugin and handlers say, by its methods or by functions taken from it', async () => {
    const { app, sink } = await audited({ options: { level: 'request' } })
    app.post('/', async ({ audit: { action, target, outcome, annotate, identify } }) => {
      action('a')
      target({ type: 't', id: 1 })
      outcome('failure', 'no')
      annotate({ b: 1 })
      identify({ accessorId: 'u' })
      return ''
    })
    await app.inject({ method: 'POST', url: '/', payload: {} })
    expect(payloadOf(sink, 'OperationComplete')).toMatchObject({
      auth: { accessor_id: 'u' },
      action: 'a',
      targets: [{ type: 't', id: '1' }],
      outcome: 'failure',
      reason: 'no',
      annotations: { b: 1 },
    })
  })

  it('records events and work of the request with its actor, namespace, trace and id', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { app, sink } = await audited({
      options: { identity: () => ({ accessorId: 'u-1' }), namespace: () => 'prod' },
    })
    app.post('/jobs', async (request, reply) => {
      await request.audit.record({ action: 'job.queue', targets: { type: 'job', id: 7 } })
      await request.audit.run({ action: 'job.check' }, async (work) => work.record({ action: 'job.step' }))
      return reply.code(202).send({ id: request.audit.id })
    })
    const { id } = (await app.inject({ method: 'POST', url: '/jobs', headers: { traceparent } })).json()
    const actions = sink.entries.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
    expect(actions.map(({ action, stage }) => [action, stage])).toEqual([
      ['job.queue', undefined],
      ['job.check', 'OperationReceived'],
      ['job.step', undefined],
      ['job.check', 'OperationComplete'],
    ])
    const common = { auth: { accessor_id: 'u-1' }, namespace: { id: 'prod' }, traceparent }
    for (const action of actions) expect(action).toMatchObject(common)
    const parents = actions.map(({ parent }) => parent)
    expect(parents).toEqual([id, id, actions[1]?.id, id])
  })

  it('records an event of a request that is not recorded itself, without a parent', async () => {
    const { app, sink } = await audited({ options: { identity: () => ({ accessorId: 'u-1' }) } })
    app.get('/health', { config: { audit: false } }, async (request) => {
      expect(request.audit.action('a')).toBe(false)
      await request.audit.record({ action: 'health.fail' })
      return ''
    })
    await app.inject('/health')
    const [action] = sink.entries.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
    expect(action).toMatchObject({ action: 'health.fail', auth: { accessor_id: 'u-1' } })
    expect(action).not.toHaveProperty('parent')
  })
})
