import { describe, expect, it } from 'vitest'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'
import type { Guarantee } from './oracle.js'
import { deferred, type Served, serve, trailOf } from './server.js'

interface Leaving extends Served {
  /** Resolves when the handler runs. */
  running: Promise<void>
  /** Resolves when Fastify has seen that the client is gone. */
  gone: Promise<void>
  /** Lets the handler reply. */
  reply: () => void
}

async function serveSlowly(deliveryGuarantee: Guarantee, abortTimeout: `${number}ms` = '30000ms'): Promise<Leaving> {
  const running = deferred()
  const gone = deferred()
  const replied = deferred()
  const served = await serve({
    deliveryGuarantee,
    options: { abortTimeout },
    declare: (app) => {
      app.addHook('onRequestAbort', (_, done) => {
        gone.resolve()
        done()
      })
      app.get('/', async (_, reply) => {
        running.resolve()
        await replied.promise
        return reply.code(201).send('done')
      })
      app.get('/hijacked', (_, reply) => {
        reply.hijack()
        running.resolve()
        replied.promise.then(() => reply.raw.writeHead(201).end('done'))
      })
      app.post('/', async ({ body }) => body)
    },
  })
  return { ...served, running: running.promise, gone: gone.promise, reply: replied.resolve }
}

/** Resolves once the sink has `count` entries of requests. */
async function untilStored({ sink }: Served, count: number): Promise<string[]> {
  await until(() => sink.trail().length >= count)
  return sink.trail()
}

describe.each(['enforced', 'best-effort'] as const)('a client that leaves (%s)', (guarantee) => {
  expectNothingUncaught()

  it.each([
    ['/', 'end'],
    ['/', 'reset'],
    ['/hijacked', 'end'],
    ['/hijacked', 'reset'],
  ] as const)('while the handler runs for %s: its outcome is recorded (%s)', async (url, how) => {
    const served = await serveSlowly(guarantee)
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url }))
    await served.running
    await wire.leave(how)
    await served.gone
    served.reply()
    expect(await untilStored(served, 2)).toEqual(['Received', 'Complete aborted 201'])
    expect(served.app.audit.stats()).toMatchObject({ open: 0, aborted: 1, withheld: 0 })
  })

  it('is recorded as aborted, without a status, if no reply comes', async () => {
    const served = await serveSlowly(guarantee, '10ms')
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await served.running
    await wire.leave()
    await served.gone
    expect(await untilStored(served, 2)).toEqual(['Received', 'Complete aborted'])
    expect(served.app.audit.stats()).toMatchObject({ open: 0, aborted: 1 })
    served.reply()
    expect(await trailOf(served)).toEqual(['Received', 'Complete aborted'])
  })

  it('while its body arrives: both stages are recorded', async () => {
    const served = await serveSlowly(guarantee, '10ms')
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ method: 'POST', headers: { 'content-type': 'text/plain', 'content-length': '100' } }))
    wire.send('a part')
    await untilStored(served, 1)
    await wire.leave()
    const trail = await untilStored(served, 2)
    expect(trail[0]).toBe('Received')
    expect(trail[1]).toMatch(/^Complete aborted/)
    expect(served.app.audit.stats().open).toBe(0)
  })

  it('before a failing sink has answered for Received', async () => {
    const served = await serveSlowly(guarantee)
    served.sink.received = 'hangs'
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    if (guarantee === 'best-effort') await served.running
    else await until(() => served.app.audit.stats().open === 1)
    await wire.leave()
    await served.gone
    served.reply()
    if (guarantee === 'best-effort') {
      served.sink.recover()
      expect(await untilStored(served, 2)).toEqual(['Received', 'Complete aborted 201'])
    } else {
      served.sink.giveUp()
      expect(await untilStored(served, 1)).toEqual(['Complete aborted 503 (FST_AUDIT_NOT_RECORDED)'])
      expect(served.app.audit.stats().refused).toBe(1)
    }
  })
})
