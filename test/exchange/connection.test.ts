import { connect } from 'node:http2'
import { describe, expect, it } from 'vitest'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { parseReplies, requestBytes, Wire } from '../support/wire.js'
import { expectReplaced } from './runner.js'
import { deferred, serve, trailOf } from './server.js'

const keptAlive = { connection: 'keep-alive' }

describe('a connection that is kept alive', () => {
  expectNothingUncaught()

  it('gives each request its own exchange', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ headers: keptAlive }))
    await wire.until((bytes) => bytes.endsWith('hello'))
    wire.send(requestBytes({ url: '/nowhere' }))
    const replies = await wire.toEnd()
    expect(replies.map(({ status }) => status)).toEqual([200, 404])
    expect(await trailOf(served)).toEqual([
      'Received',
      'Complete 200',
      'Received',
      'Complete 404 (Route GET:/nowhere not found)',
    ])
    expect(served.sink.ids().size).toBe(2)
  })

  it('serves the next request after one that was withheld', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    const wire = await Wire.open(served.port)
    served.sink.complete = 'fails'
    wire.send(requestBytes({ headers: keptAlive }))
    await wire.until((bytes) => bytes.endsWith('}'))
    served.sink.recover()
    wire.send(requestBytes({}))
    const [withheld, reply] = await wire.toEnd()
    expectReplaced(withheld, 'withheld', [])
    expect(reply).toMatchObject({ status: 200, body: 'hello' })
  })

  it('answers pipelined requests in their order, whatever the order of their records', async () => {
    const first = deferred()
    const served = await serve({
      declare: (app) => {
        app.get('/first', async () => {
          await first.promise
          return 'first'
        })
        app.get('/second', async () => 'second')
      },
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/first', headers: keptAlive }) + requestBytes({ url: '/second' }))
    await until(() => served.sink.trail().length === 3)
    expect(served.sink.trail()).toEqual(['Received', 'Received', 'Complete 200'])
    first.resolve()
    expect((await wire.toEnd()).map(({ body }) => body)).toEqual(['first', 'second'])
    expect(await trailOf(served)).toEqual(['Received', 'Received', 'Complete 200', 'Complete 200'])
  })

  it('answers pipelined requests of which one is refused', async () => {
    const served = await serve({ declare: (app) => app.get('/', async () => 'hello') })
    served.sink.received = 'fails'
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ headers: keptAlive }) + requestBytes({}))
    const replies = await wire.toEnd()
    expect(replies).toHaveLength(2)
    for (const reply of replies) expectReplaced(reply, 'refused', [])
  })
})

describe('informational replies', () => {
  expectNothingUncaught()

  it('go out before the final one, which alone is held: 103', async () => {
    const served = await serve({
      declare: (app) => {
        app.get('/', (_, reply) => {
          reply.writeEarlyHints({ link: '</style.css>; rel=preload' })
          reply.send('hello')
        })
      },
    })
    served.sink.complete = 'hangs'
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({}))
    await wire.until((bytes) => bytes.includes('\r\n\r\n'))
    expect(parseReplies(wire.bytes).map(({ status }) => status)).toEqual([103])
    served.sink.recover()
    expect((await wire.toEnd()).map(({ status }) => status)).toEqual([103, 200])
    expect(await trailOf(served)).toEqual(['Received', 'Complete 200'])
  })

  it.each(['stores', 'fails'] as const)('go out before the final one: 100 (the sink %s)', async (received) => {
    const served = await serve({ declare: (app) => app.post('/', async ({ body }) => body) })
    served.sink.received = received
    const wire = await Wire.open(served.port)
    const headers = { expect: '100-continue', 'content-type': 'text/plain', 'content-length': '2' }
    wire.send(requestBytes({ method: 'POST', headers }))
    await wire.until((bytes) => bytes.includes('\r\n\r\n'))
    wire.send('hi')
    const replies = await wire.toEnd()
    expect(replies.map(({ status }) => status)).toEqual([100, received === 'stores' ? 200 : 503])
    expect(await trailOf(served)).toEqual(
      received === 'stores' ? ['Received', 'Complete 200'] : ['Complete 503 (FST_AUDIT_NOT_RECORDED)'],
    )
  })
})

describe('an HTTP/2 stream', () => {
  expectNothingUncaught()

  it('that the client cancels while the handler runs is recorded as aborted', async () => {
    const running = deferred()
    const replied = deferred()
    const served = await serve({
      factory: { http2: true },
      declare: (app) => {
        app.get('/', async () => {
          running.resolve()
          await replied.promise
          return 'hello'
        })
      },
    })
    const session = connect(`http://127.0.0.1:${served.port}`)
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    await running.promise
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.close(8)
    await closed
    // The server has seen the cancellation once it answers the later request.
    await new Promise((resolve) => session.ping(() => resolve(undefined)))
    replied.resolve()
    await until(() => served.sink.trail().length === 2)
    expect(served.sink.trail()).toEqual(['Received', 'Complete aborted 200'])
    await new Promise<void>((resolve) => session.close(resolve))
  })
})
