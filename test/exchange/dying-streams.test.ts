import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type Behaviour, turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, requestBytes, Wire } from '../support/wire.js'
import { expectReplaced } from './runner.js'
import { deferred, serve, trailOf } from './server.js'

const GUARANTEES = ['enforced', 'best-effort'] as const

/** Server that streams its one source, whose first chunk is available. */
async function serveStream(complete: Behaviour, deliveryGuarantee: 'enforced' | 'best-effort' = 'enforced') {
  const source = new PassThrough()
  source.on('error', () => undefined)
  source.write('first ')
  const asked = deferred()
  const served = await serve({
    deliveryGuarantee,
    declare: (app) => {
      app.get('/', (_, reply) => {
        asked.resolve()
        return reply.send(source)
      })
    },
  })
  served.sink.complete = complete
  return { ...served, source, asked: asked.promise }
}

describe('a stream that dies', () => {
  expectNothingUncaught()

  it.each(GUARANTEES)('after its first chunk: the status that went out is recorded (%s)', async (guarantee) => {
    const served = await serveStream('stores', guarantee)
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await wire.until((bytes) => bytes.includes('first'))
    served.source.destroy(new Error('no more'))
    const [reply] = await wire.toEnd()
    expect(reply).toMatchObject({ status: 200, body: 'first ', isWhole: false })
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })

  it('while its Complete is being stored: no status goes out that the trail does not hold', async () => {
    const served = await serveStream('hangs')
    const answer = ask(served.port, {})
    await served.asked
    await until(() => served.sink.isHanging)
    served.source.destroy(new Error('no more'))
    await turns(4)
    served.sink.recover()
    const replies = await answer
    expect(replies.every(({ status, isWhole }) => status === 200 && !isWhole)).toBe(true)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })

  it('while its Complete is being stored and is not: what goes out is the withheld reply, or nothing', async () => {
    const served = await serveStream('hangs')
    const answer = ask(served.port, {})
    await served.asked
    await until(() => served.sink.isHanging)
    served.source.destroy(new Error('no more'))
    served.sink.giveUp()
    const [reply] = await answer
    if (reply !== undefined) expectReplaced(reply, 'withheld', [])
    await until(() => served.app.audit.stats().withheld === 1)
    expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
  })

  it.each(['stores', 'is slow'] as const)('as a web stream, after its first chunk (the sink %s)', async (complete) => {
    const served = await serve({
      declare: (app) => {
        app.get('/', (_, reply) => {
          let pulls = 0
          return reply.send(
            new ReadableStream({
              pull: (controller) => {
                if (pulls++ === 0) controller.enqueue(new TextEncoder().encode('first '))
                else controller.error(new Error('no more'))
              },
            }),
          )
        })
      },
    })
    served.sink.complete = complete
    const [reply] = await ask(served.port, {})
    // Fastify turns it into an error reply as long as nothing is out; what is out must be what is recorded.
    const trail = await trailOf(served)
    if (reply !== undefined) expect(trail.join()).toContain(String(reply.status))
    expect(trail.filter((entry) => entry.startsWith('Complete'))).toHaveLength(1)
  })
})

describe('a client that leaves during a stream', () => {
  expectNothingUncaught()

  it.each(GUARANTEES)('leaves the record of the status that went out, and ends the source (%s)', async (guarantee) => {
    const served = await serveStream('stores', guarantee)
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await wire.until((bytes) => bytes.includes('first'))
    const closed = new Promise((resolve) => served.source.once('close', resolve))
    await wire.leave('reset')
    await closed
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
    expect(served.app.audit.stats().open).toBe(0)
  })

  it('while its Complete is being stored ends the source too', async () => {
    const served = await serveStream('hangs')
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await served.asked
    await until(() => served.sink.isHanging)
    const closed = new Promise((resolve) => served.source.once('close', resolve))
    await wire.leave('reset')
    served.sink.recover()
    await closed
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
    expect(served.app.audit.stats().open).toBe(0)
  })
})
