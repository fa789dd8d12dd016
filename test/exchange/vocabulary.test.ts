import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AuditOptions } from '../../src/index.js'
import { defineActions } from '../../src/index.js'
import { type Audited, audited } from '../support/app.js'

const actions = defineActions({
  'invoice.refund': { targets: ['invoice'], annotations: z.object({ amount: z.number(), at: z.date().optional() }) },
  'session.begin': {},
})
const invoice = { type: 'invoice', id: 42 }

async function served(options: Omit<AuditOptions, 'sinks'> = {}): Promise<Audited> {
  const given = await audited({ options: { actions, ...options } })
  const { app } = given
  app.post<{ Params: { status: string } }>(
    '/refunds/:status',
    { config: { audit: { action: 'invoice.refund', targets: () => invoice } } },
    async (request, reply) => {
      const { status } = request.params
      if (status === '200') request.audit.annotate({ amount: 12, at: new Date(0) })
      return reply.code(Number(status)).send({})
    },
  )
  app.post<{ Params: { action: string } }>('/actions/:action', async (request) => {
    request.audit.action(request.params.action)
    return {}
  })
  await app.ready()
  return given
}

const errorsOf = ({ app }: Audited): number => app.audit.stats().vocabularyErrors
const loggedOf = ({ logged }: Audited): unknown[] =>
  logged.filter((line) => 'action' in line).map(({ action, msg }) => `${action}: ${msg}`)

describe('the option `actions`', () => {
  it('finds nothing wrong with what is as it says, annotations as they were given included', async () => {
    const server = await served()
    await server.app.inject({ method: 'POST', url: '/refunds/200' })
    await server.app.inject({ method: 'POST', url: '/actions/session.begin' })
    await server.app.inject({ method: 'POST', url: '/unknown' })
    const { audit } = server.app
    await audit.record({ action: 'invoice.refund', targets: invoice, annotations: { amount: 1 } })
    await audit.run({ action: 'invoice.refund', annotations: { amount: 1 } }, (work) => work.target(invoice))
    expect([errorsOf(server), loggedOf(server)]).toEqual([0, []])
  })

  it('counts what is not as it says, logs it once, and records it as it is', async () => {
    const server = await served()
    for (let time = 0; time < 2; time++) {
      const misspelt = await server.app.inject({ method: 'POST', url: '/actions/sesion.begin' })
      const without = await server.app.inject({ method: 'POST', url: '/refunds/201' })
      expect([misspelt.statusCode, without.statusCode]).toEqual([200, 201])
    }
    expect(errorsOf(server)).toBe(4)
    expect(loggedOf(server)).toEqual([
      'sesion.begin: fastify-audit-log: an action is not in the vocabulary (option `actions`)',
      'invoice.refund: fastify-audit-log: an action was recorded with wrong annotations',
    ])
    const completed = server.sink.exchanges.map(({ complete }) => complete?.payload.action)
    expect(completed.sort()).toEqual(['invoice.refund', 'invoice.refund', 'sesion.begin', 'sesion.begin'])
  })

  it('counts and logs a misspelt action of a route when it is declared', async () => {
    const server = await audited({ options: { actions } })
    server.app.get('/a', { config: { audit: { action: 'session.begin' } }, exposeHeadRoute: false }, () => 1)
    expect(errorsOf(server)).toBe(0)
    server.app.get('/b', { config: { audit: { action: 'sesion.begin' } }, exposeHeadRoute: false }, () => 1)
    await server.app.ready()
    expect(errorsOf(server)).toBe(1)
    expect(loggedOf(server)).toEqual([expect.stringContaining('sesion.begin: fastify-audit-log: an action is not in')])
  })

  it('asks nothing but a known name of what failed: its handler may not have come to the rest', async () => {
    const server = await served()
    for (const status of [401, 404, 500]) await server.app.inject({ method: 'POST', url: `/refunds/${status}` })
    const failing = server.app.audit.run({ action: 'invoice.refund' }, () => {
      throw new Error('no paper')
    })
    await expect(failing).rejects.toThrow('no paper')
    expect(errorsOf(server)).toBe(0)
    await expect(server.app.audit.run({ action: 'nothing' }, () => Promise.reject(new Error('no')))).rejects.toThrow()
    expect(errorsOf(server)).toBe(1)
  })

  it('asks everything of an event, however it ended, and of work that succeeded', async () => {
    const server = await served()
    const { audit } = server.app
    await audit.record({ action: 'invoice.refund', outcome: 'denied' })
    expect(errorsOf(server)).toBe(2)
    await audit.run({ action: 'invoice.refund', targets: { type: 'customer', id: 1 } }, () => 1)
    expect(errorsOf(server)).toBe(4)
    expect(server.sink.actions).toHaveLength(3)
  })

  it('does not ask for targets that are not recorded', async () => {
    const server = await served({ redact: { omit: ['targets', 'annotations'] } })
    await server.app.audit.record({ action: 'invoice.refund', targets: invoice, annotations: { amount: 1 } })
    await server.app.audit.record({ action: 'invoice.refund', annotations: { amount: 1 } })
    expect(errorsOf(server)).toBe(0)
  })

  it('compares annotations before they are redacted and cut', async () => {
    const annotations = z.object({ password: z.string().length(5000) })
    const server = await served({ actions: { ...actions, 'key.rotate': { annotations } } })
    await server.app.audit.record({ action: 'key.rotate', annotations: { password: 'x'.repeat(5000) } })
    expect(errorsOf(server)).toBe(0)
  })

  it.each([
    ['a getter, which is not called', Object.defineProperty({}, 'amount', { enumerable: true, get: () => 12 })],
    ['a Proxy that throws', new Proxy({}, { ownKeys: fail })],
    ['a text', 'amount'],
    ['`__proto__`', JSON.parse('{"__proto__":{"amount":1}}')],
  ])('takes %s as annotations, which are wrong', async (_, annotations) => {
    const server = await served()
    await server.app.audit.record({ action: 'invoice.refund', targets: invoice, annotations })
    expect([errorsOf(server), server.sink.actions.length]).toEqual([1, 1])
  })

  it('costs no request and no record, whatever its schemas do', async () => {
    const annotations = { '~standard': { version: 1, vendor: 'test', validate: fail } } as const
    const server = await served({ actions: defineActions({ 'invoice.refund': { annotations } }) })
    const { statusCode } = await server.app.inject({ method: 'POST', url: '/refunds/200' })
    expect(statusCode).toBe(200)
    expect([errorsOf(server), server.sink.exchanges.length]).toEqual([1, 1])
  })

  it('is not needed', async () => {
    const server = await served({ actions: undefined })
    await server.app.inject({ method: 'POST', url: '/actions/anything' })
    expect([errorsOf(server), loggedOf(server)]).toEqual([0, []])
  })
})

function fail(): never {
  throw new Error('no')
}
