import type { FastifyInstance } from 'fastify'
import onHeaders from 'on-headers'
import { describe, expect, it } from 'vitest'
import type { FilterOptions, Stage } from '../../src/index.js'
import { SOON, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, header } from '../support/wire.js'
import { expectReplaced } from './runner.js'
import { serve, trailOf } from './server.js'

const WITHHELD = 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'
const REFUSED = 'Complete 503 (FST_AUDIT_NOT_RECORDED)'

const hello = (app: FastifyInstance) => app.get('/', async () => 'hello')

describe('a status that is changed as the head goes out', () => {
  expectNothingUncaught()

  it.each([
    ['enforced', 'stores'],
    ['enforced', 'is slow'],
    ['best-effort', 'stores'],
  ] as const)('is the one that is recorded (%s, the sink %s)', async (deliveryGuarantee, complete) => {
    let calls = 0
    const served = await serve({
      deliveryGuarantee,
      before: (app) =>
        app.addHook('onRequest', (_, reply, done) => {
          onHeaders(reply.raw, () => {
            calls++
            reply.raw.statusCode = 226
            reply.raw.setHeader('x-own', '1')
          })
          done()
        }),
      declare: hello,
    })
    served.sink.complete = complete
    const [reply] = await ask(served.port, {})
    expect(reply).toMatchObject({ status: 226, body: 'hello' })
    expect(header(reply, 'x-own')).toBe('1')
    expect(calls).toBe(1)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 226'])
    expect(served.app.audit.stats().corrected).toBe(0)
  })
})

describe('a write in doubt that turns out not to be stored', () => {
  expectNothingUncaught()

  it.each([
    ['received', 'refused', [REFUSED]],
    ['complete', 'withheld', ['Received', WITHHELD]],
  ] as const)('at %s is followed by what was answered', async (stage, reply, trail) => {
    const served = await serve({ timeout: SOON, declare: hello })
    served.sink[stage] = 'hangs'
    expectReplaced((await ask(served.port, {}))[0], reply, [])
    served.sink.giveUp()
    expect(await trailOf(served)).toEqual(trail)
  })
})

describe('a filter', () => {
  expectNothingUncaught()

  const filter = (stage: Stage): FilterOptions[] => [{ endpoints: ['*'], stages: [stage], operations: ['*'] }]

  it.each([
    { stage: 'OperationReceived', fails: 'received', reply: 'own', trail: ['Complete 200'] },
    { stage: 'OperationReceived', fails: 'complete', reply: 'withheld', trail: [WITHHELD] },
    { stage: 'OperationComplete', fails: 'received', reply: 'refused', trail: [] },
    { stage: 'OperationComplete', fails: 'complete', reply: 'own', trail: ['Received'] },
  ] as const)('of $stage leaves the other stage enforced when the sink fails at $fails', async (row) => {
    const served = await serve({ options: { filters: filter(row.stage) }, declare: hello })
    served.sink[row.fails] = 'fails'
    const [reply] = await ask(served.port, {})
    if (row.reply === 'own') expect(reply).toMatchObject({ status: 200, body: 'hello' })
    else expectReplaced(reply, row.reply, [])
    expect(await trailOf(served)).toEqual(row.trail)
  })
})

describe('onResponse', () => {
  expectNothingUncaught()

  it.each([
    ['received', 503],
    ['complete', 500],
  ] as const)('runs once, with the status of the replacement (the sink fails at %s)', async (stage, status) => {
    const statuses: number[] = []
    const served = await serve({
      declare: (app) => {
        app.addHook('onResponse', async (_, reply) => void statuses.push(reply.statusCode))
        hello(app)
      },
    })
    served.sink[stage] = 'fails'
    expect((await ask(served.port, {}))[0]?.status).toBe(status)
    await served.app.close()
    expect(statuses).toEqual([status])
  })
})

describe('an earlier hook that replies', () => {
  expectNothingUncaught()

  it('is told of once, with what to do', async () => {
    const warnings: string[] = []
    const served = await serve({
      factory: { logger: { level: 'warn', stream: { write: (line: string) => warnings.push(line) } } },
      before: (app) => app.addHook('onRequest', async (_, reply) => reply.code(401).send('no')),
      declare: hello,
    })
    await ask(served.port, {})
    await ask(served.port, {})
    expect(warnings.filter((line) => line.includes('Register fastify-audit-log first'))).toHaveLength(1)
    expect(served.app.audit.stats().repliedBeforePlugin).toBe(2)
  })

  it.each([false, 'x-audit-id'] as const)('is recorded also when its reply is raw (auditIdHeader %s)', async (name) => {
    const served = await serve({
      options: { auditIdHeader: name },
      before: (app) =>
        app.addHook('onRequest', (_, reply) => {
          reply.hijack()
          reply.raw.end('no')
        }),
      declare: hello,
    })
    expect((await ask(served.port, {}))[0]).toMatchObject({ status: 200, body: 'no' })
    await until(() => served.app.audit.stats().audited === 1)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })
})
