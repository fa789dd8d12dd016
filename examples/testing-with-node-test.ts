/** Tests the trail of an app (`app.ts`) with Node's own test runner: `node --import tsx --test examples/testing-with-node-test.ts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAudited, assertNotAudited, memorySink } from 'fastify-audit-log/testing'
import { buildApp } from './app.js'

test('the trail says who placed which order, and with what outcome', async () => {
  const sink = memorySink()
  const app = await buildApp({ auditSinks: [{ name: 'test', sink }] })
  await app.inject({
    method: 'POST',
    url: '/orders',
    headers: { 'x-session': 'session-of-ada' },
    payload: { item: 'tea' },
  })

  assertAudited(sink, { action: 'order.place', actor: 'ada', targets: ['order:1'], status: 201 })
  assertNotAudited(sink, { status: '5xx' })
  assert.equal(sink.exchanges.length, 1)
  await app.close()
})

test('the trail leaves out health checks', async () => {
  const sink = memorySink()
  const app = await buildApp({ auditSinks: [{ name: 'test', sink }] })
  await app.inject('/health')

  assertNotAudited(sink, {})
  await app.close()
})
