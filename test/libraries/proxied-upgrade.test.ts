import proxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../exchange/runner.js'
import { serve, trailOf } from '../exchange/server.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { header, parseReplies, requestBytes, Wire } from '../support/wire.js'
import { closeFrame, HANDSHAKE, textFrame } from './support/websocket.js'

/** A server with a socket, and how often somebody connected. */
async function startUpstream(): Promise<{ url: string; connections: () => number }> {
  let connections = 0
  const upstream = Fastify()
  await upstream.register(websocket)
  upstream.register(async (child) => {
    child.get('/socket', { websocket: true }, () => {
      connections++
    })
  })
  onTestFinished(async () => {
    await upstream.close()
  })
  return { url: `http://127.0.0.1:${await listen(upstream)}`, connections: () => connections }
}

const FAILURES = [
  { stage: 'received', status: 503, code: 'FST_AUDIT_NOT_RECORDED' },
  { stage: 'complete', status: 500, code: 'FST_AUDIT_RESPONSE_WITHHELD' },
] as const

describe('an upgrade that @fastify/http-proxy handles itself', () => {
  expectNothingUncaught()

  it.each(FAILURES)('is answered with $status when the enforced sink cannot store $stage', async (failure) => {
    const upstream = await startUpstream()
    const served = await serve({
      declare: (app) => app.register(proxy, { upstream: upstream.url, websocket: true }),
    })
    served.sink[failure.stage] = 'fails'
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/socket', headers: HANDSHAKE }))
    const bytes = await wire.until(() => false)
    const [reply, ...others] = parseReplies(bytes)
    expect(others).toEqual([])
    expect(reply?.status).toBe(failure.status)
    expect(header(reply, 'sec-websocket-accept')).toBeUndefined()
    expect(JSON.parse(reply?.body ?? '')).toMatchObject({ code: failure.code })
    if (failure.stage === 'received') expect(upstream.connections()).toBe(0)
    await until(() => served.app.audit.stats().open === 0)
    await served.app.close()
  })

  it('is recorded with the status that denied it', async () => {
    const upstream = await startUpstream()
    const served = await serve({
      declare: (app) => {
        app.addHook('preHandler', async (_request, reply) => reply.code(403).send({ error: 'no' }))
        return app.register(proxy, { upstream: upstream.url, websocket: true })
      },
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/socket', headers: HANDSHAKE }))
    const [reply] = parseReplies(await wire.until(() => false))
    expect(reply?.status).toBe(403)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 403 (no)'])
    expect(upstream.connections()).toBe(0)
  })

  it.each(['closes', 'leaves'] as const)('has an end with its bytes when its client %s', async (how) => {
    const upstream = await startUpstream()
    const served = await serve({
      declare: (app) => app.register(proxy, { upstream: upstream.url, websocket: true }),
    })
    const wire = await Wire.open(served.port)
    wire.send(requestBytes({ url: '/socket', headers: HANDSHAKE }))
    await wire.until((bytes) => bytes.includes('\r\n\r\n'))
    await until(() => upstream.connections() === 1)
    const text = textFrame('hello')
    const close = closeFrame()
    wire.send(text)
    if (how === 'closes') {
      wire.send(close)
      await wire.closed()
    } else await wire.leave('reset')
    await until(() => served.app.audit.stats().ended === 1)
    expect(await trailOf(served)).toEqual(['Received', 'Complete 101'])
    const [payload] = served.sink.endPayloads()
    // The proxy may end the socket before the reset is seen.
    expect(how === 'closes' ? ['closed'] : ['closed', 'aborted']).toContain(payload?.end.how)
    expect(payload?.end.bytes_sent).toBeGreaterThan('HTTP/1.1 101 Switching Protocols'.length)
    if (how === 'closes') expect(payload?.end.bytes_received).toBe(text.length + close.length)
    else expect(payload?.end.bytes_received).toBeGreaterThanOrEqual(0)
  })
})
