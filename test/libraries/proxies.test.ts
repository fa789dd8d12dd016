import proxy from '@fastify/http-proxy'
import from from '@fastify/reply-from'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { listen } from '../exchange/runner.js'
import type { TalkRequest } from './support/client.js'
import { itIsTheSame, type Note, served } from './support/compare.js'
import { declareRoutes, REQUESTS } from './support/routes.js'
import { closeFrame, HANDSHAKE, textFrame } from './support/websocket.js'

/** Starts the server behind the proxy, which is not audited; it closes with the proxy. */
async function upstreamOf(app: FastifyInstance): Promise<string> {
  const upstream = Fastify()
  await upstream.register(websocket)
  declareRoutes(upstream, () => undefined)
  await upstream.register(async (child) => {
    child.get('/echo-socket', { websocket: true }, (socket) => {
      socket.on('message', (message) => socket.send(`echo of ${message}`))
    })
  })
  upstream.get('/endless', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: the only one\n\n')
  })
  const port = await listen(upstream)
  // Both libraries wait for replies that are under way, even when their client has left.
  app.addHook('preClose', async () => upstream.server.closeAllConnections())
  app.addHook('onClose', () => upstream.close())
  return `http://127.0.0.1:${port}`
}

const under = (prefix: string, requests: readonly TalkRequest[]): TalkRequest[] =>
  requests.map((request) => ({ ...request, url: `${prefix}${request.url ?? '/'}` }))

const ENDLESS: TalkRequest = { url: '/endless', leaveAfter: 'the only one' }

const SOCKETS: TalkRequest[] = [
  {
    url: '/echo-socket',
    headers: HANDSHAKE,
    turns: [
      ['\r\n\r\n', textFrame('hello')],
      ['echo of hello', textFrame('again')],
      ['echo of again', closeFrame()],
    ],
  },
]

/** The proxy accepts it before it knows that the upstream has no such socket. */
const NO_SUCH_SOCKET: TalkRequest = { url: '/no-such-socket', headers: HANDSHAKE, leaveAfter: 'unexpected response' }

async function declareProxy(app: FastifyInstance, note: Note): Promise<void> {
  const upstream = await upstreamOf(app)
  await app.register(proxy, { upstream, prefix: '/proxied', websocket: true })
  await app.register(proxy, {
    upstream,
    prefix: '/guarded',
    websocket: true,
    preHandler: async (_request, reply) => reply.code(401).send({ error: 'who are you' }),
  })
  declareRoutes(app, note)
}

itIsTheSame(
  '@fastify/http-proxy',
  served(
    declareProxy,
    [
      ...under('/proxied', [...REQUESTS, ENDLESS, ...SOCKETS, NO_SUCH_SOCKET]),
      ...under('/guarded', [{ url: '/json' }, { url: '/echo-socket', headers: HANDSHAKE }]),
      { url: '/json' },
    ],
    { areChunksArbitrary: true },
  ),
)

async function declareFrom(app: FastifyInstance, note: Note): Promise<void> {
  const base = await upstreamOf(app)
  await app.register(from, { base })
  declareRoutes(app, note)
  app.get('/from/*', (request, reply) => reply.from(request.url.slice('/from'.length)))
  app.post('/from/*', (request, reply) => reply.from(request.url.slice('/from'.length)))
  app.get('/rewritten', (_request, reply) =>
    reply.from('/json', {
      rewriteHeaders: (headers) => ({ ...headers, 'x-rewritten': 'yes' }),
      onResponse: (_, answer) => answer.code(203).send('another body'),
    }),
  )
  // Nobody listens on it.
  app.get('/gone', (_request, reply) => reply.from('http://127.0.0.1:1/json'))
}

itIsTheSame(
  '@fastify/reply-from',
  served(declareFrom, [...under('/from', [...REQUESTS, ENDLESS]), { url: '/rewritten' }, { url: '/gone' }], {
    areChunksArbitrary: true,
  }),
)

async function declareSockets(app: FastifyInstance, note: Note): Promise<void> {
  await app.register(websocket)
  await app.register(async (child) => {
    child.get('/echo-socket', { websocket: true }, (socket) => {
      note('connected')
      socket.on('message', (message) => socket.send(`echo of ${message}`))
      socket.on('close', (code) => note(`closed ${code}`))
    })
  })
  declareRoutes(app, note)
}

itIsTheSame(
  '@fastify/websocket',
  served(declareSockets, [
    ...SOCKETS,
    { url: '/no-such-socket', headers: HANDSHAKE },
    { url: '/echo-socket' },
    ...REQUESTS,
  ]),
)
