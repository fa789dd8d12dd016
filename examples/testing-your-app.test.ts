/** Tests the trail of an app (`app.ts`) with a memory sink and `inject`, without a file. */
import { memorySink } from 'fastify-audit-log'
import { describe, expect, it } from 'vitest'
import { buildApp } from './app.js'

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

    expect(sink.events).toMatchObject([
      { payload: { stage: 'OperationReceived', auth: { accessor_id: 'ada' }, request: { endpoint: '/orders' } } },
      { payload: { stage: 'OperationComplete', response: { status_code: 201 }, annotations: { order: '1' } } },
    ])
    await app.close()
  })

  it('holds the message of an error reply', async () => {
    const { app, sink } = await setUp()
    await app.inject('/orders/7')

    expect(sink.events.at(-1)?.payload).toMatchObject({
      auth: { accessor_id: 'anonymous' },
      request: { endpoint: '/orders/7', route: '/orders/:number' },
      response: { status_code: 404, error: 'No such order' },
    })
    await app.close()
  })

  it('leaves out health checks', async () => {
    const { app, sink } = await setUp()
    await app.inject('/health')

    expect(sink.events).toEqual([])
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
