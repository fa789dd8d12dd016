import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { TalkRequest } from './client.js'
import type { Note } from './compare.js'

/** More than a socket takes at once, and nothing that compresses to almost nothing. */
export const BIG = Array.from({ length: 12_000 }, (_, line) => `${line} ${(line * 7919) % 10_007}\n`).join('')

/** Declares the ways in which most replies come about, with hooks that note what they see. */
export function declareRoutes(app: FastifyInstance, note: Note): void {
  noteHooks(app, note)
  app.get('/json', async () => ({ hello: 'world', numbers: [1, 2, 3] }))
  app.get('/text', (_request, reply) => reply.send('text'))
  app.get('/buffer', async (_request, reply) => reply.type('application/octet-stream').send(Buffer.from([0, 255, 1])))
  app.get('/stream', async (_request, reply) => reply.type('text/csv').send(Readable.from(['a,b\n', 'c,d\n', 'e,f\n'])))
  app.get('/web-stream', async (_request, reply) => reply.type('text/plain').send(new Blob(['of the web']).stream()))
  app.get('/throws', async () => {
    throw new Error('thrown by the handler')
  })
  app.get('/denied', async (_request, reply) => reply.code(403).send({ error: 'denied' }))
  app.get('/empty', async (_request, reply) => reply.code(204).send())
  app.get('/etag', async (request, reply) => {
    reply.header('etag', '"one"')
    return request.headers['if-none-match'] === '"one"' ? reply.code(304).send() : 'tagged'
  })
  app.get('/big', async (_request, reply) => reply.type('text/plain').send(BIG))
  app.get('/big-stream', async (_request, reply) => reply.type('text/plain').send(Readable.from([BIG, BIG])))
  app.get('/redirect', async (_request, reply) => reply.redirect('/json', 303))
  app.get('/cookies', async (_request, reply) =>
    reply.header('set-cookie', ['a=1; Path=/', 'b=2; HttpOnly']).send('set'),
  )
  app.post('/echo', async (request) => request.body)
  declareRawRoutes(app)
}

/** Replies that Fastify does not write. */
function declareRawRoutes(app: FastifyInstance): void {
  app.get('/hijacked', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(201, { 'content-type': 'text/plain' })
    reply.raw.write('one ')
    reply.raw.end('two')
  })
  app.get('/raw-end', (_request, reply) => {
    reply.raw.setHeader('x-raw', 'yes')
    reply.raw.end('raw')
  })
  // Not hijacked: Fastify knows only by `headersSent` that there is nothing left to send.
  app.get('/raw-events', async (_request, reply) => {
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: 1\n\n')
    setImmediate(() => reply.raw.end('data: 2\n\n'))
  })
}

function noteHooks(app: FastifyInstance, note: Note): void {
  app.addHook('onError', async (request, _reply, error) => {
    note(`onError ${request.url} ${error.message}`)
  })
  app.addHook('onSend', async (request, reply) => {
    note(`onSend ${request.url} ${reply.statusCode}`)
  })
  app.addHook('onResponse', async (request, reply) => {
    note(`onResponse ${request.url} ${reply.statusCode}`)
  })
}

const paths = ['/json', '/text', '/buffer', '/stream', '/web-stream', '/throws', '/denied', '/empty', '/etag', '/big']
const morePaths = ['/big-stream', '/redirect', '/cookies', '/hijacked', '/raw-end', '/raw-events', '/not-there']

/** A request for each of those routes, and for one that is not there, by a client that takes gzip and one that does not. */
export const REQUESTS: TalkRequest[] = [
  ...[...paths, ...morePaths].map((url) => ({ url })),
  ...['/json', '/stream', '/big', '/big-stream', '/throws', '/empty', '/hijacked', '/raw-events'].map((url) => ({
    url,
    headers: { 'accept-encoding': 'gzip' },
  })),
  ...['/json', '/stream', '/big', '/redirect', '/not-there'].map((url) => ({ method: 'HEAD', url })),
  { url: '/etag', headers: { 'if-none-match': '"one"' } },
  { method: 'POST', url: '/echo', headers: { 'content-type': 'application/json' }, body: '{"a":[1,2]}' },
  { method: 'POST', url: '/echo', headers: { 'content-type': 'application/json' }, body: '{"a":' },
]
