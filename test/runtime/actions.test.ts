import { once } from 'node:events'
import Fastify from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import type { ActionInput, ActionPayload, MemorySink } from '../../src/index.js'
import audit, { memorySink } from '../../src/index.js'
import { audited } from '../support/app.js'

const TOKEN = `ghp_${'16C7e42F292c6912E771'.repeat(2).slice(0, 36)}`

function actionsOf(sink: MemorySink): ActionPayload[] {
  return sink.entries.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
}

async function ready(setup: Parameters<typeof audited>[0] = {}) {
  const all = await audited(setup)
  await all.app.ready()
  return all
}

describe('record', () => {
  it('stores one entry with all that was given, before it resolves', async () => {
    const { app, sink } = await ready()
    await app.audit.record({
      action: 'invoice.refund',
      actor: { accessorId: 'cron', name: 'Nightly', onBehalfOf: 'finance' },
      targets: [{ type: 'invoice', id: 42, name: 'March' }],
      outcome: 'denied',
      reason: 'over the limit',
      changes: { before: { state: 'paid' }, after: { state: 'refunded' } },
      annotations: { amount: 9, password: 'hunter2hunter2' },
      namespace: 'prod',
      at: new Date('2026-03-24T17:09:35.704Z'),
      parent: '8b826146-b264-4f15-8526-29cb905145aa',
    })
    const [action] = actionsOf(sink)
    expect(action).toMatchObject({
      type: 'action',
      version: 1,
      auth: { accessor_id: 'cron', name: 'Nightly', on_behalf_of: 'finance' },
      namespace: { id: 'prod' },
      action: 'invoice.refund',
      targets: [{ type: 'invoice', id: '42', name: 'March' }],
      outcome: 'denied',
      reason: 'over the limit',
      changes: [{ path: '/state', before: 'paid', after: 'refunded' }],
      annotations: { amount: 9, password: '[REDACTED]' },
      at: '2026-03-24T17:09:35.704Z',
      parent: '8b826146-b264-4f15-8526-29cb905145aa',
      redacted: 1,
    })
    expect(action).not.toHaveProperty('stage')
  })

  it('leaves out what `redact.omit` names, and is filtered by it all the same', async () => {
    const { app, sink } = await ready({
      options: {
        redact: { omit: ['targets', 'reason', 'changes', 'error', 'annotations'] },
        filters: [{ type: 'ActionEvent', actions: ['*'], targets: ['secret:*'] }],
      },
    })
    const more = { outcome: 'failure', reason: 'r', changes: { before: 1, after: 2 }, annotations: { a: 1 } } as const
    await app.audit.record({ action: 'a', targets: { type: 't', id: 1 }, ...more })
    await app.audit.record({ action: 'b', targets: { type: 'secret', id: 1 }, ...more })
    const failed = app.audit.run({ action: 'c' }, () => Promise.reject(new Error('boom')))
    await expect(failed).rejects.toThrow('boom')
    const members = actionsOf(sink).map(({ id, timestamp, duration_ms, auth, ...rest }) => rest)
    const common = { type: 'action', version: 1, namespace: { id: 'default' } }
    expect(members).toEqual([
      { ...common, action: 'a', outcome: 'failure' },
      { ...common, action: 'c', stage: 'OperationReceived' },
      { ...common, action: 'c', stage: 'OperationComplete', outcome: 'failure' },
    ])
  })

  it('may have a reason without an outcome', async () => {
    const { app, sink } = await ready()
    await app.audit.record({ action: 'key.rotate', reason: 'age' })
    expect(actionsOf(sink)[0]).toMatchObject({ reason: 'age' })
    expect(actionsOf(sink)[0]).not.toHaveProperty('outcome')
  })

  it('needs an action alone; nobody is anonymous, and the namespace is default', async () => {
    const { app, sink } = await ready()
    await app.audit.record({ action: 'tick' })
    expect(actionsOf(sink)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'action',
        timestamp: expect.any(String),
        version: 1,
        auth: expect.objectContaining({ accessor_id: 'anonymous' }),
        namespace: { id: 'default' },
        action: 'tick',
      },
    ])
  })

  it.each([
    ['at', { at: 'yesterday' }, 'is not a time'],
    ['at', { at: '5' }, 'is not a time'],
    ['at', { at: new Date(Number.NaN) }, 'is not a time'],
    ['parent', { parent: '../../etc' }, 'is not the id of a record'],
    ['parent', { parent: 7 }, 'is not the id of a record'],
  ])('leaves out a wrong `%s`, says so, and stores the rest', async (path, given, reason) => {
    const { app, sink } = await ready()
    await app.audit.record({ action: 'a', ...given } as ActionInput)
    expect(actionsOf(sink)[0]).toMatchObject({ action: 'a', omitted: [{ path, reason }] })
    expect(app.audit.stats().actionErrors).toBe(1)
  })

  it.each([
    ['no action', {}],
    ['an empty action', { action: '' }],
    ['an action that is not a text', { action: 7 }],
    ['no object', null],
  ])('rejects %s, which says what to write, and counts it for those who do not await it', async (_, given) => {
    const { app, sink, logged } = await ready()
    await expect(app.audit.record(given as never)).rejects.toThrow(
      expect.objectContaining({ code: 'FST_AUDIT_INVALID_ACTION', message: expect.stringContaining('write {') }),
    )
    expect(actionsOf(sink)).toEqual([])
    expect(app.audit.stats().actionErrors).toBe(1)
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: expect.stringMatching(/FST_AUDIT_INVALID_ACTION.*write \{/) }),
    )
  })

  it('shows no secret of an action in the error and the log line of its refusal', async () => {
    const { app, logged } = await ready()
    await app.close()
    const action = `password=hunter2hunter2 ${'x'.repeat(200)} ${TOKEN}`
    const refusal: unknown = await app.audit.record({ action }).catch((error: unknown) => error)
    const told = String(refusal) + JSON.stringify(logged)
    expect(told).toContain('could not be recorded')
    expect(told).not.toContain('hunter2')
    expect(told).not.toContain(TOKEN.slice(0, 8))
  })

  it('rejects work without a function, before anything is recorded', async () => {
    const { app, sink } = await ready()
    await expect(app.audit.run({ action: 'a' }, undefined as never)).rejects.toThrow(
      expect.objectContaining({ code: 'FST_AUDIT_INVALID_ACTION', message: expect.stringContaining('write run(') }),
    )
    expect(actionsOf(sink)).toEqual([])
  })

  it('counts a member that it does not know', async () => {
    const { app } = await ready()
    await app.audit.record({ action: 'a', target: {} } as never)
    expect(app.audit.stats()).toMatchObject({ actions: 1, actionErrors: 1 })
  })

  it('rejects when an enforced sink has not stored it, and works again when the sink does', async () => {
    const { app, sink, logged } = await ready()
    sink.fail()
    await expect(app.audit.record({ action: 'a' })).rejects.toMatchObject({
      code: 'FST_AUDIT_NOT_RECORDED',
      statusCode: 503,
    })
    expect(app.audit.stats()).toMatchObject({ actions: 1, actionsNotRecorded: 1 })
    expect(logged.filter(({ msg }) => /an action could not be recorded/.test(String(msg)))).toHaveLength(1)
    sink.recover()
    await app.audit.record({ action: 'b' })
    expect(actionsOf(sink).map(({ action }) => action)).toEqual(['b'])
  })

  it('does not wait for a best-effort sink', async () => {
    const enforced = memorySink()
    const hung = memorySink()
    const app = Fastify()
    await app.register(audit, {
      closeTimeout: '100ms',
      sinks: [
        { name: 'enforced', sink: enforced },
        { name: 'hung', sink: hung, deliveryGuarantee: 'best-effort' },
      ],
    })
    await app.ready()
    await app.audit.flush()
    hung.hang()
    await app.audit.record({ action: 'a' })
    expect(actionsOf(enforced)).toHaveLength(1)
    await app.close()
  })

  it('leaves the half of a queue that is reserved for outcomes', async () => {
    const sink = memorySink()
    const app = Fastify()
    await app.register(audit, { closeTimeout: '100ms', sinks: [{ name: 'memory', sink, maxQueue: 8 }] })
    await app.ready()
    await app.audit.flush()
    sink.hang()
    const records = Array.from({ length: 20 }, () => app.audit.record({ action: 'a' }))
    expect(app.audit.stats().sinks.memory?.notStored).toBe(16)
    await app.close()
    expect((await Promise.allSettled(records)).map(({ status }) => status)).toEqual(Array(20).fill('rejected'))
  })

  it('does not end the process when nobody awaits its rejection', async () => {
    const { app, sink } = await ready()
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    sink.fail()
    const promises = [
      app.audit.record({ action: 'a' }),
      app.audit.record({} as never),
      app.audit.run({ action: 'b' }, () => 1),
    ]
    expect(await Promise.allSettled(promises)).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
      { status: 'rejected' },
    ])
    void app.audit.record({ action: 'c' })
    await app.audit.flush()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(app.audit.stats().actionsNotRecorded).toBe(3)
  })

  it('rejects before the trail is open and after it is closed', async () => {
    const { app } = await audited()
    await expect(app.audit.record({ action: 'a' })).rejects.toThrow(/the trail is not open/)
    await app.ready()
    await app.audit.record({ action: 'a' })
    await app.close()
    await expect(app.audit.record({ action: 'a' })).rejects.toMatchObject({ code: 'FST_AUDIT_NOT_RECORDED' })
  })
})

describe('run', () => {
  it('records the beginning before the function, and the end with its outcome after it', async () => {
    const { app, sink } = await ready()
    const result = await app.audit.run(
      { action: 'report.export', actor: { accessorId: 'cron' }, targets: { type: 'report', id: 1 } },
      async (work) => {
        expect(actionsOf(sink)).toMatchObject([{ id: work.id, stage: 'OperationReceived', action: 'report.export' }])
        work.annotate({ rows: 3 })
        work.target({ type: 'report', id: 2 })
        return 'done'
      },
    )
    expect(result).toBe('done')
    const [received, complete] = actionsOf(sink)
    expect(received).not.toHaveProperty('outcome')
    expect(received?.targets).toEqual([{ type: 'report', id: '1' }])
    expect(complete).toMatchObject({
      id: received?.id,
      timestamp: received?.timestamp,
      stage: 'OperationComplete',
      auth: { accessor_id: 'cron' },
      outcome: 'success',
      targets: [
        { type: 'report', id: '1' },
        { type: 'report', id: '2' },
      ],
      annotations: { rows: 3 },
      duration_ms: expect.any(Number),
    })
  })

  it.each([
    ['failure', new Error('boom')],
    ['denied', Object.assign(new Error('boom'), { statusCode: 403 })],
    [
      'failure',
      Object.defineProperty(new Error('boom'), 'statusCode', {
        get: () => {
          throw new Error('getter')
        },
      }),
    ],
  ])("records a %s, and throws the function's own error", async (outcome, error) => {
    const { app, sink } = await ready()
    await expect(
      app.audit.run({ action: 'a' }, () => {
        throw error
      }),
    ).rejects.toBe(error)
    expect(actionsOf(sink)[1]).toMatchObject({ outcome, error: 'boom' })
  })

  it('does not run the function when its beginning cannot be stored', async () => {
    const { app, sink } = await ready()
    const execute = vi.fn()
    sink.fail()
    await expect(app.audit.run({ action: 'a' }, execute)).rejects.toMatchObject({ code: 'FST_AUDIT_NOT_RECORDED' })
    expect(execute).not.toHaveBeenCalled()
    expect(app.audit.stats()).toMatchObject({ open: 0, actionsNotRecorded: 1 })
  })

  it('withholds the result when its end cannot be stored: the error holds it', async () => {
    const { app, sink } = await ready()
    await expect(
      app.audit.run({ action: 'a' }, () => {
        sink.fail()
        return { rows: 3 }
      }),
    ).rejects.toMatchObject({ code: 'FST_AUDIT_RESPONSE_WITHHELD', result: { rows: 3 } })
    expect(app.audit.stats()).toMatchObject({ open: 0, actionsWithheld: 1 })
    sink.recover()
    await app.audit.record({ action: 'b' })
    const types = sink.entries.map(({ event: { payload } }) => payload.type)
    expect(types).toContain('gap')
  })

  it("prefers the function's own error to ours", async () => {
    const { app, sink } = await ready()
    await expect(
      app.audit.run({ action: 'a' }, () => {
        sink.fail()
        throw new Error('own')
      }),
    ).rejects.toThrow('own')
  })

  it('corrects the end in a sink that stored it, when another has not', async () => {
    const sinks = { first: memorySink(), second: memorySink() }
    const app = Fastify()
    await app.register(audit, { sinks: Object.entries(sinks).map(([name, sink]) => ({ name, sink })) })
    await app.ready()
    await app.audit.run({ action: 'a' }, () => sinks.second.fail()).catch(() => undefined)
    await app.audit.flush()
    const last = sinks.first.entries.at(-1)?.event.payload
    expect(last).toMatchObject({
      id: actionsOf(sinks.first)[0]?.id,
      type: 'correction',
      correction: { error: 'FST_AUDIT_RESPONSE_WITHHELD' },
    })
    expect(last).not.toHaveProperty('correction.status_code')
    await app.close()
  })

  it('is recorded as unfinished when the server closes before its end, and withheld then', async () => {
    const { app, sink } = await ready()
    const gate = new EventTarget()
    const work = app.audit.run({ action: 'a' }, async () => once(gate, 'go'))
    const failed = expect(work).rejects.toMatchObject({ code: 'FST_AUDIT_RESPONSE_WITHHELD' })
    await vi.waitFor(() => expect(app.audit.stats().open).toBe(1))
    await app.close()
    gate.dispatchEvent(new Event('go'))
    await failed
    expect(actionsOf(sink)[1]).toMatchObject({ aborted: true, error: 'server closed' })
    expect(actionsOf(sink)[1]).not.toHaveProperty('outcome')
  })

  it('is waited for when the server closes', async () => {
    const { app, sink } = await ready()
    let go: () => void = () => undefined
    const work = app.audit.run(
      { action: 'a' },
      () =>
        new Promise<void>((resolve) => {
          go = resolve
        }),
    )
    await app.audit.flush()
    const closed = app.close()
    go()
    await Promise.all([closed, work])
    expect(actionsOf(sink)[1]).toMatchObject({ outcome: 'success' })
  })

  it('takes nothing more when it is over', async () => {
    const { app } = await ready()
    const work = await app.audit.run({ action: 'a' }, (inner) => inner)
    expect([work.annotate({ a: 1 }), work.target({ type: 't', id: 1 }), work.outcome('failure')]).toEqual([
      false,
      false,
      false,
    ])
  })
})

describe('a disabled plugin', () => {
  it('records nothing and runs the work', async () => {
    const app = Fastify()
    await app.register(audit, { enabled: false })
    await app.audit.record({ action: 'a' })
    expect(await app.audit.run({ action: 'a' }, (work) => work.annotate({ a: 1 }))).toBe(false)
    app.get('/', async ({ audit: own }) => own.run({ action: 'a' }, () => 'ran'))
    expect((await app.inject('/')).body).toBe('ran')
  })
})
