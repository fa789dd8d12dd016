import proxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../exchange/runner.js'
import { serve, trailOf } from '../exchange/server.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { header, parseReplies, requestBytes, Wire } from '../support/wire.js'
import { HANDSHAKE } from './support/websocket.js'

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
})
