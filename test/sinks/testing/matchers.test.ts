import { AssertionError } from 'node:assert'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  assertAudited,
  assertNotAudited,
  auditMatchers,
  type ExpectedAudit,
  type MemorySink,
  memorySink,
} from '../../../src/testing.js'
import { audited } from '../../support/app.js'
import { Trail } from './trail.js'

expect.extend(auditMatchers)

async function sinkWith(...statuses: number[]): Promise<MemorySink> {
  const sink = memorySink()
  const trail = new Trail()
  for (const status of statuses) trail.complete(`${status}`, status)
  await sink.write(trail.entries)
  return sink
}

describe('toHaveAudited', () => {
  it('passes if a record says it, fails with what was recorded instead', async () => {
    const sink = await sinkWith(201)
    expect(sink).toHaveAudited({ status: 201 })
    expect(() => expect(sink).toHaveAudited({ status: 403 })).toThrow(
      /no record with \{ status: 403 \}[\s\S]*status 201/,
    )
  })

  it('is turned round by `not`', async () => {
    const sink = await sinkWith(201)
    expect(sink).not.toHaveAudited({ status: 403 })
    expect(() => expect(sink).not.toHaveAudited({ status: 201 })).toThrow(/has a record with \{ status: 201 \}/)
    expect(memorySink()).not.toHaveAudited({})
  })

  it('refuses a wrong expectation, with `not` as well', async () => {
    const sink = await sinkWith(201)
    const wrong: object = { statusCode: 404 }
    expect(() => expect(sink).toHaveAudited(wrong)).toThrow(/no key 'statusCode'/)
    expect(() => expect(sink).not.toHaveAudited(wrong)).toThrow(/no key 'statusCode'/)
  })

  it('is waited for with `poll`, resolves, and takes entries', async () => {
    const sink = memorySink()
    const waiting = expect.poll(() => sink).toHaveAudited({ status: 201 })
    await sink.write(new Trail().complete('a', 201).entries)
    await waiting
    await expect(Promise.resolve(sink)).resolves.toHaveAudited({ status: 201 })
    expect(sink.entries).toHaveAudited({ status: 201 })
  })

  it('has types: what it is asked of, and what is expected', () => {
    const ofSink = expect(memorySink())
    expectTypeOf(ofSink.toHaveAudited).parameters.toEqualTypeOf<[ExpectedAudit]>()
    expectTypeOf(ofSink.not.toHaveAudited).parameters.toEqualTypeOf<[ExpectedAudit]>()
    expectTypeOf(expect('a line').toHaveAudited).parameters.toEqualTypeOf<[never]>()
    expectTypeOf<{ acton: string }>().not.toExtend<ExpectedAudit>()
    expectTypeOf<{ status: '40x' }>().not.toExtend<ExpectedAudit>()
  })

  it('finds what a server has recorded', async () => {
    const { app, sink } = await audited({ options: { identity: () => ({ accessorId: 'u-1', name: 'Ada' }) } })
    app.get('/orders/:id', async (request) => {
      request.audit.annotate({ cache: 'miss' })
      throw new Error('no such order')
    })
    await app.inject('/orders/7')
    expect(sink).toHaveAudited({
      actor: 'Ada',
      operation: 'GET',
      endpoint: '/orders/7',
      route: '/orders/:id',
      status: 500,
      error: 'no such order',
      annotations: { cache: 'miss' },
    })
  })
})

it('toHaveAudited finds the action of a request, an event and work', async () => {
  const { app, sink } = await audited({ options: { identity: () => ({ accessorId: 'u-1' }) } })
  const audit = { action: 'invoice.refund', targets: () => ({ type: 'invoice', id: 42 }) }
  app.post('/refund', { config: { audit } }, async (_, reply) => reply.code(403).send())
  await app.inject({ method: 'POST', url: '/refund' })
  await app.audit.record({
    action: 'door.paint',
    actor: { accessorId: 'cron' },
    changes: { before: { colour: 'red', coats: 2 }, after: { colour: 'blue', coats: 2 } },
  })
  await expect(app.audit.run({ action: 'report.export' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')

  expect(sink).toHaveAudited({
    action: 'invoice.refund',
    actor: 'u-1',
    targets: ['invoice:42'],
    status: 403,
    outcome: 'denied',
  })
  expect(sink).toHaveAudited({ action: 'door.paint', actor: 'cron', changes: [{ path: '/colour', after: 'blue' }] })
  expect(sink).toHaveAudited({ action: 'report.export', actor: 'anonymous', outcome: 'failure', error: 'no' })
  expect(sink).not.toHaveAudited({ action: 'report.export', outcome: 'success' })
})

describe('assertAudited and assertNotAudited', () => {
  it('say the same to any other runner', async () => {
    const sink = await sinkWith(201)
    assertAudited(sink, { status: 201 })
    assertNotAudited(sink, { status: 403 })
    expect(() => assertAudited(sink, { status: 403 })).toThrow(AssertionError)
    expect(() => assertAudited(sink, { status: 403 })).toThrow(/no record with \{ status: 403 \}[\s\S]*status 201/)
    expect(() => assertNotAudited(sink, { status: 201 })).toThrow(AssertionError)
    expect(() => assertNotAudited(sink, { status: 201 })).toThrow(/has a record/)
    const wrong: object = { statusCode: 404 }
    expect(() => assertNotAudited(sink, wrong)).toThrow(/no key 'statusCode'/)
  })

  it('point at the line of the test', async () => {
    const fail = () => assertAudited([], { status: 403 })
    try {
      fail()
    } catch (error) {
      expect(String(error instanceof Error && error.stack?.split('\n    at ')[1])).toContain('matchers.test.ts')
    }
    expect.assertions(1)
  })
})
