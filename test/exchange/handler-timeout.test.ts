import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KNOWS } from '../support/fastify.js'
import { turns, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, requestBytes, Wire } from '../support/wire.js'
import { expectReplaced } from './runner.js'
import { deferred, type Served, serve, trailOf } from './server.js'

const TIMED_OUT = "Complete 503 (Request timed out after 10 ms on route '/')"

type Reply = 'late' | 'text' | 'stream' | 'trailers'

interface Racing extends Served {
  handlerRan: () => boolean
  /** Advances the handler's time past its limit; resolves when Fastify has given the handler up. */
  timeOut: () => Promise<void>
}

/** Routes whose handlers have 10 ms, and reply in different ways. */
async function race(kind: Reply): Promise<Racing> {
  const timedOut = deferred()
  let runs = 0
  const served = await serve({
    declare: (app) => {
      app.addHook('onError', async () => timedOut.resolve())
      app.get('/', { handlerTimeout: 10 }, (request, reply) => {
        runs++
        request.signal.addEventListener('abort', () => timedOut.resolve())
        if (kind === 'late') timedOut.promise.then(() => setImmediate(() => reply.send('late')))
        else if (kind === 'text') reply.send('in time')
        else if (kind === 'trailers') reply.trailer('x-sum', () => new Promise(() => undefined)).send('in time')
        else {
          const source = new PassThrough()
          source.on('error', () => undefined)
          source.write('in time')
          reply.send(source)
        }
      })
    },
  })
  const timeOut = (): Promise<void> => {
    vi.advanceTimersByTime(10)
    return timedOut.promise
  }
  return { ...served, handlerRan: () => runs > 0, timeOut }
}

describe.runIf(KNOWS.handlerTimeout)('handlerTimeout', () => {
  expectNothingUncaught()
  // Move the handler's time by hand, so that a slow machine uses up none of it.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each(['stores', 'is slow'] as const)('is recorded as the reply that it is (the sink %s)', async (behaviour) => {
    const served = await race('late')
    served.sink.received = behaviour
    served.sink.complete = behaviour
    const answer = ask(served.port, {})
    await until(served.handlerRan)
    await served.timeOut()
    const [reply] = await answer
    expect(reply?.status).toBe(503)
    expect(await trailOf(served)).toEqual(['Received', TIMED_OUT])
  })

  it('while Received is being stored: the handler does not run', async () => {
    const served = await race('late')
    served.sink.received = 'hangs'
    const answer = ask(served.port, {})
    await until(() => served.sink.isHanging)
    await served.timeOut()
    await turns(4)
    served.sink.recover()
    const [reply] = await answer
    expect(reply?.status).toBe(503)
    expect(served.handlerRan()).toBe(false)
    expect(await trailOf(served)).toEqual(['Received', TIMED_OUT])
  })

  it('while Received is being stored and is not: the request is refused', async () => {
    const served = await race('late')
    served.sink.received = 'hangs'
    const answer = ask(served.port, {})
    await until(() => served.sink.isHanging)
    await served.timeOut()
    await turns(4)
    served.sink.giveUp()
    expectReplaced((await answer)[0], 'refused', [])
    expect(served.handlerRan()).toBe(false)
    expect(await trailOf(served)).toEqual(['Complete 503 (FST_AUDIT_NOT_RECORDED)'])
  })

  it('while the Complete of a whole reply is being stored: the reply was in time', async () => {
    const served = await race('text')
    served.sink.complete = 'hangs'
    const answer = ask(served.port, {})
    await until(() => served.sink.isHanging)
    vi.advanceTimersByTime(10)
    await turns(4)
    served.sink.recover()
    expect((await answer)[0]).toMatchObject({ status: 200, body: 'in time', isWhole: true })
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })

  it('while the Complete of a whole reply is being stored and is not: the reply is withheld', async () => {
    const served = await race('text')
    served.sink.complete = 'hangs'
    const answer = ask(served.port, {})
    await until(() => served.sink.isHanging)
    vi.advanceTimersByTime(10)
    await turns(4)
    served.sink.giveUp()
    expectReplaced((await answer)[0], 'withheld', [...served.sink.ids()])
    expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
  })

  it.each(['stream', 'trailers'] as const)(
    'while the Complete of a reply with a %s to come is being stored: what goes out is recorded',
    async (kind) => {
      const served = await race(kind)
      served.sink.complete = 'hangs'
      const answer = ask(served.port, {})
      await until(() => served.sink.isHanging)
      await served.timeOut()
      await turns(4)
      served.sink.recover()
      const [reply] = await answer
      const trail = await trailOf(served)
      expect(trail).toEqual(['Received', 'Complete 200'])
      // The time ended before the reply was whole, so it is cut, as without the plugin once the head is out.
      expect(reply?.status ?? 200).toBe(200)
      expect(reply?.isWhole ?? false).toBe(false)
    },
  )

  it.each(['stream', 'trailers'] as const)('after the Complete of a reply with a %s to come', async (kind) => {
    const served = await race(kind)
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await wire.until((bytes) => bytes.includes('in time'))
    await served.timeOut()
    const [reply] = await wire.toEnd()
    expect(reply).toMatchObject({ status: 200, isWhole: false })
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })
})
