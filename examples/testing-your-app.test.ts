/** Tests the trail of an app (`app.ts`) with a memory sink and `inject`, without a file. */
import { auditMatchers, memorySink } from 'fastify-audit-log/testing'
import { describe, expect, it } from 'vitest'
import { buildApp } from './app.js'

expect.extend(auditMatchers)

async function setUp() {
  const sink = memorySink()
  const app = await buildApp({ auditSinks: [{ name: 'test', sink }] })
  await app.ready()
  return { app, sink }
}

describe('the trail of our app', () => {
  it('says who placed which order, and with what outcome', async () => {
    const { app, sink } = await setUp()
    await app.inject({
      method: 'POST',
      url: '/orders',
      headers: { 'x-session': 'session-of-ada' },
      payload: { item: 'tea' },
    })

    expect(sink).toHaveAudited({
      action: 'order.place',
      actor: 'ada',
      targets: ['order:1'],
      status: 201,
      annotations: { item: 'tea' },
    })
    expect(sink.exchanges).toHaveLength(1)
    await app.close()
  })

  it('holds the message of an error reply', async () => {
    const { app, sink } = await setUp()
    await app.inject('/orders/7')

    expect(sink).toHaveAudited({ actor: 'anonymous', endpoint: '/orders/7', status: 404, error: 'No such order' })
    expect(sink).not.toHaveAudited({ status: '2xx' })
    await app.close()
  })

  it('leaves out health checks', async () => {
    const { app, sink } = await setUp()
    await app.inject('/health')

    expect(sink).not.toHaveAudited({})
    await app.close()
  })

  it('is what an order waits for: what cannot be recorded does not happen', async () => {
    const { app, sink } = await setUp()
    sink.fail()
    const refused = await app.inject({ method: 'POST', url: '/orders', payload: { item: 'tea' } })
    expect(refused.statusCode).toBe(503)
    expect(refused.json()).toMatchObject({ code: 'FST_AUDIT_NOT_RECORDED' })

    sink.recover()
    const found = await app.inject('/orders/1')
    expect(found.statusCode).toBe(404)
    await app.close()
  })
})
