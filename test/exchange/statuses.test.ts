import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type FilterOptions } from '../../src/index.js'
import { StagedSink, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask } from '../support/wire.js'
import { listen } from './runner.js'
import { serve, trailOf } from './server.js'

const READS: FilterOptions[] = [
  { endpoints: ['*'], stages: ['OperationReceived'], operations: ['GET'] },
  { endpoints: ['*'], stages: ['*'], operations: ['GET'], statuses: ['2xx', '304'] },
]

describe('a filter with statuses', () => {
  expectNothingUncaught()

  it('leaves out reads, and keeps those that were denied', async () => {
    const served = await serve({
      options: { filters: READS },
      declare: (app) => {
        app.get('/', async () => 'read')
        app.get('/denied', async (_, reply) => reply.code(403).send({ message: 'no' }))
        app.get('/same', async (_, reply) => reply.code(304).send())
        app.post('/', async () => 'written')
      },
    })
    for (const url of ['/', '/denied', '/same']) await ask(served.port, { url })
    await ask(served.port, { method: 'POST' })
    expect(await trailOf(served)).toEqual(['Complete 403 (no)', 'Received', 'Complete 200'])
  })

  it('has nothing to do with what never got a status', async () => {
    const served = await serve({
      options: {
        filters: [{ endpoints: ['*'], stages: ['*'], operations: ['*'], statuses: ['2xx', '5xx'] }],
        abortTimeout: '1ms',
      },
      declare: (app) => app.get('/', () => new Promise(() => undefined)),
    })
    const asked = ask(served.port, {})
    const { audit } = served.app
    await until(() => audit.stats().open === 1)
    served.app.server.closeAllConnections()
    await asked
    await until(() => audit.stats().open === 0)
    expect(await trailOf(served)).toEqual(['Received', 'Complete aborted'])
  })

  it('lets a reply go at once whose Complete no sink records, though none could', async () => {
    const served = await serve({
      options: { filters: READS },
      declare: (app) => app.get('/', async () => 'read'),
    })
    served.sink.complete = 'fails'
    const [reply] = await ask(served.port, {})
    expect(reply).toMatchObject({ status: 200, body: 'read' })
    expect(await trailOf(served)).toEqual([])
  })

  it('is told of a reply that another sink withheld, for that has another status', async () => {
    const [filtered, failing] = [new StagedSink(), new StagedSink()]
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, {
      sinks: [
        { name: 'filtered', sink: filtered, filters: READS.slice(1) },
        { name: 'failing', sink: failing },
      ],
    })
    app.get('/', async () => 'read')
    const port = await listen(app)
    failing.complete = 'fails'
    const [reply] = await ask(port, {})
    expect(reply?.status).toBe(500)
    await app.audit.flush()
    expect(filtered.trail()).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
  })

  it('leaves out the Complete of a refusal when its status is one of them', async () => {
    const served = await serve({
      options: { filters: [{ endpoints: ['*'], stages: ['*'], operations: ['*'], statuses: ['503'] }] },
      declare: (app) => app.get('/', async () => 'read'),
    })
    served.sink.received = 'fails'
    const [reply] = await ask(served.port, {})
    expect(reply?.status).toBe(503)
    expect(await trailOf(served)).toEqual([])
  })
})
