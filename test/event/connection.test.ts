import { Agent, get } from 'node:http'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import audit, { memorySink } from '../../src/index.js'
import { audited, portOf } from '../support/app.js'

/** Sends requests over one connection, one after the other. */
async function overOneConnection(port: number, requests: Array<[path: string, headers: Record<string, string>]>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const [path, headers] of requests) {
    await new Promise<void>((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', path, headers, agent }, (reply) => {
        reply.resume().on('end', resolve)
      })
      request.on('error', reject)
    })
  }
  agent.destroy()
}

/** What the Completes of a sink say, each with its `request_meta`. */
function requestsOf(sink: ReturnType<typeof memorySink>) {
  return sink.events.flatMap(({ payload }) =>
    payload.type === 'audit' && payload.stage === 'OperationComplete' ? [payload.request] : [],
  )
}

it('carries each request by itself: its user agent, its trace and its route are not those of the one before', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  const sink = memorySink()
  const namespace = (request: { headers: Record<string, unknown> }) => request.headers['x-team']?.toString()
  await app.register(audit, { sinks: [{ name: 'memory', sink }], namespace })
  app.get('/a', async () => 'a')
  app.get('/b/:id', async () => 'b')
  const port = await portOf(app)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await overOneConnection(port, [
    ['/a', { 'user-agent': 'one' }],
    ['/b/1', { 'user-agent': 'one' }],
    ['/b/2', { 'user-agent': 'two', 'x-team': 'dev' }],
    ['/b/3', { 'user-agent': 'two' }],
    ['/nowhere', {}],
    ['/a', { traceparent }],
    ['/a', { 'user-agent': '"\u00e9"'.repeat(300) }],
    ['/a', { 'user-agent': 'Bearer abcdefghijklmnopqrstuvwxyz012345' }],
    ['/a', { 'user-agent': 'one' }],
  ])
  const requests = requestsOf(sink)
  expect(new Set(requests.map(({ request_meta }) => request_meta.remote_address)).size).toBe(1)
  expect(requests.map(({ route, namespace }) => [route, namespace.id])).toEqual([
    ['/a', 'default'],
    ['/b/:id', 'default'],
    ['/b/:id', 'dev'],
    ['/b/:id', 'default'],
    [undefined, 'default'],
    ['/a', 'default'],
    ['/a', 'default'],
    ['/a', 'default'],
    ['/a', 'default'],
  ])
  const agents = requests.map(({ request_meta }) => request_meta.user_agent)
  expect(agents.slice(0, 6)).toEqual(['one', 'one', 'two', 'two', undefined, undefined])
  expect(agents[6]?.startsWith('"')).toBe(true)
  expect(agents[7]).not.toContain('abcdefghij')
  expect(agents[8]).toBe('one')
  expect(requests.map(({ request_meta }) => request_meta.traceparent !== undefined).indexOf(true)).toBe(5)
  const changed = sink.events.filter(({ payload }) => 'truncated' in payload || 'redacted' in payload)
  expect(changed.map(({ payload }) => ('request' in payload ? payload.request.request_meta.user_agent : ''))).toEqual([
    agents[6],
    agents[6],
    agents[7],
    agents[7],
  ])
})

it('carries the host of each request by itself', async () => {
  const { app, sink } = await audited()
  const port = await portOf(app)
  const hosts = ['a.example', 'a.example', 'b.example', 'a.example']
  await overOneConnection(
    port,
    hosts.map((host) => ['/', { host, 'user-agent': 'one' }]),
  )
  const metas = requestsOf(sink).map(({ request_meta }) => request_meta)
  expect(new Set(metas.map(({ remote_address }) => remote_address)).size).toBe(1)
  expect(metas.map(({ host }) => host)).toEqual(hosts)
})

it('is told by the rules of the part of the server that a request is for', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  const [open, discreet] = [memorySink(), memorySink()]
  await app.register(
    async (part) => {
      await part.register(audit, { sinks: [{ name: 'open', sink: open }], scope: 'plugin' })
      part.get('/', async () => 'open')
    },
    { prefix: '/open' },
  )
  await app.register(
    async (part) => {
      const redact = {
        omit: ['request.request_meta.remote_address', 'request.request_meta.host', 'request.node_meta.ip'] as const,
      }
      const sinks = [{ name: 'discreet', sink: discreet }]
      await part.register(audit, { sinks, scope: 'plugin', redact: { omit: [...redact.omit] } })
      part.get('/', async () => 'discreet')
    },
    { prefix: '/discreet' },
  )
  const port = await portOf(app)
  const headers = { 'user-agent': 'one' }
  await overOneConnection(port, [
    ['/open', headers],
    ['/discreet', headers],
    ['/open', headers],
    ['/discreet', headers],
  ])
  expect(requestsOf(open).map(({ request_meta }) => typeof request_meta.remote_address)).toEqual(['string', 'string'])
  expect(requestsOf(discreet).map(({ request_meta, node_meta }) => ({ ...request_meta, ...node_meta }))).toEqual([
    { user_agent: 'one' },
    { user_agent: 'one' },
  ])
})
