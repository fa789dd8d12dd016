import { join } from 'node:path'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import audit, { type AuditOptions } from '../../src/index.js'
import type { Guarantee } from '../exchange/oracle.js'
import { listen } from '../exchange/runner.js'
import { deferred, prepare, type Served } from '../exchange/server.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { WrittenTrail } from '../support/process/trail.js'
import { NEVER, turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** Milliseconds. */
const CLOSE_TIMEOUT = 60

interface Busy extends Omit<Served, 'port'> {
  running: Promise<void>
  reply: () => void
}

async function busy(
  deliveryGuarantee: Guarantee,
  factory: object = {},
  closeTimeout: AuditOptions['closeTimeout'] = `${CLOSE_TIMEOUT}ms`,
): Promise<Busy> {
  const running = deferred()
  const replied = deferred()
  const prepared = await prepare({
    factory,
    deliveryGuarantee,
    options: { closeTimeout },
    declare: (app) => {
      app.get('/', async (_, reply) => {
        running.resolve()
        await replied.promise
        return reply.code(201).header('set-cookie', 'a=1').send('done')
      })
      app.get('/hijacked', (_, reply) => {
        reply.hijack()
        running.resolve()
        replied.promise.then(() => reply.raw.writeHead(201).end('done'))
      })
    },
  })
  return { ...prepared, running: running.promise, reply: replied.resolve }
}

/** Returns the trail's last entry; of a stop entry, its counts. */
function ending({ sink }: Pick<Served, 'sink'>): unknown {
  const last = sink.stored.at(-1)?.event.payload
  return last?.type === 'stop' ? last.stop : last
}

/** Closes a server whose handler never ends; its clock is moved by hand. */
async function closeLate({ app }: Busy): Promise<void> {
  const closed = app.close()
  await until(() => vi.getTimerCount() > 0)
  await turns(50)
  // Open exchanges are given up then; storing their records takes turns of the event loop, but no time.
  await vi.advanceTimersByTimeAsync(0.75 * CLOSE_TIMEOUT)
  await closed
}

describe.each(['/', '/hijacked'])('a server that closes while %s is handled', (url) => {
  expectNothingUncaught()
  // Move the time by hand, so that nothing is given up on a slow machine.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each(['enforced', 'best-effort'] as const)('waits for it, and stops after its record (%s)', async (guarantee) => {
    const served = await busy(guarantee)
    const answer = served.app.inject(url)
    await served.running
    const closed = served.app.close()
    served.reply()
    expect((await answer).statusCode).toBe(201)
    await closed
    expect(served.sink.trail()).toEqual(['Received', 'Complete 201'])
    expect(ending(served)).toMatchObject({ lost: 0, in_doubt: 0, open: 0 })
  })

  it('records it as cut off, and withholds what it sends later (enforced)', async () => {
    const served = await busy('enforced')
    const answer = served.app.inject(url)
    await served.running
    await closeLate(served)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 500 (server closed)'])
    expect(ending(served)).toMatchObject({ lost: 0, in_doubt: 0, open: 1 })
    served.reply()
    const { statusCode, headers, body } = await answer
    expect({ statusCode, code: JSON.parse(body).code }).toEqual({
      statusCode: 500,
      code: 'FST_AUDIT_RESPONSE_WITHHELD',
    })
    expect(headers['set-cookie']).toBeUndefined()
    expect(served.app.audit.stats().open).toBe(0)
  })

  it('records it as cut off, and lets out what it sends later (best-effort)', async () => {
    const served = await busy('best-effort')
    const answer = served.app.inject(url)
    await served.running
    await closeLate(served)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted (server closed)'])
    served.reply()
    expect((await answer).statusCode).toBe(201)
  })

  it('records it when its connection was closed by force', async () => {
    const served = await busy('enforced', { forceCloseConnections: true })
    const wire = await Wire.open(await listen(served.app))
    wire.send(requestBytes({ url }))
    await served.running
    const closed = served.app.close()
    await wire.closed()
    served.reply()
    await closed
    expect(wire.bytes).toBe('')
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 201'])
  })
})

describe('a server that closes', () => {
  expectNothingUncaught()

  it('refuses what its sink has not answered for, and does not wait for it for ever', async () => {
    const served = await busy('enforced')
    served.sink.received = 'hangs'
    await served.app.ready()
    const answer = served.app.inject('/')
    await until(() => served.app.audit.stats().open === 1)
    await served.app.close()
    expect((await answer).statusCode).toBe(503)
  })

  it('withholds what its sink has not answered for', async () => {
    const served = await busy('enforced')
    served.sink.complete = 'hangs'
    const answer = served.app.inject('/')
    await served.running
    served.reply()
    await served.app.close()
    expect((await answer).statusCode).toBe(500)
  })

  it('sends a reply that is held when its handler closes the server', async () => {
    const served = await prepare({
      declare: (app) =>
        app.get('/', (_, reply) => {
          reply.send('hello')
          app.close()
        }),
    })
    const wire = await Wire.open(await listen(served.app))
    wire.send(requestBytes({ headers: { connection: 'keep-alive' } }))
    expect(await wire.until((bytes) => bytes.endsWith('hello'))).toContain('200 OK')
    await wire.leave()
    expect(served.sink.trail()).toEqual(['Received', 'Complete 200'])
  })

  it('says so last, also when its file is due to be rotated', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, rotateBytes: 1 }] })
    await app.inject('/')
    await app.close()
    const { lives, files } = new WrittenTrail(path)
    expect([...lives.values()].map(({ own }) => own.at(-1))).toEqual(['stop'])
    expect([...lives.values()].map(({ last }) => last.payload.type)).toEqual(['stop'])
    expect(files).toBeGreaterThan(1)
  })

  it('answers a request on a connection that is kept alive on its own, which is counted', async () => {
    const served = await busy('enforced', {}, NEVER)
    const wire = await Wire.open(await listen(served.app))
    wire.send(requestBytes({ headers: { connection: 'keep-alive' } }))
    await served.running
    const closing = new Promise((resolve) => served.app.server.once('close', resolve))
    const closed = served.app.close()
    await until(() => !served.app.server.listening)
    wire.send(requestBytes({ url: '/' }))
    served.reply()
    const replies = await wire.toEnd()
    await closing
    await closed
    expect(replies[0]?.status).toBe(201)
    expect(served.sink.trail().slice(0, 2)).toEqual(['Received', 'Complete 201'])
    const { unseen, audited } = served.app.audit.stats()
    expect(audited + (unseen.HTTP_503 ?? 0)).toBe(replies.length)
  })
})
