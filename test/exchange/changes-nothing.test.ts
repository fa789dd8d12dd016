import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import compress from '@fastify/compress'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import audit, { memorySink } from '../../src/index.js'
import { validateLine } from '../support/schema.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { Wire } from '../support/wire.js'
import { listen } from './runner.js'

/** Requests, as bytes, to paths that answer in different ways. */
interface Exchange {
  name: string
  url: string
  type?: string
  body?: string | Buffer
  accept?: string
}

const JSON_TYPE = 'application/json'
const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
const wide = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, token: `t${id}`, text: 'é\u2028"' })))

const EXCHANGES: Exchange[] = [
  { name: 'no body', url: '/echo' },
  { name: 'an empty body', url: '/echo', type: 'text/plain', body: '' },
  { name: 'an empty body of JSON', url: '/echo', type: JSON_TYPE, body: '' },
  { name: 'an object', url: '/echo', type: 'application/json; charset=utf-8', body: '{"a":{"password":"p"},"b":[1]}' },
  { name: 'an array', url: '/echo', type: JSON_TYPE, body: '[1,"two",null,{"three":3}]' },
  { name: 'a scalar', url: '/echo', type: JSON_TYPE, body: '"text"' },
  { name: 'null', url: '/echo', type: JSON_TYPE, body: 'null' },
  { name: 'a megabyte', url: '/echo', type: JSON_TYPE, body: wide },
  { name: 'every plane of Unicode', url: '/echo', type: JSON_TYPE, body: '{"é":"𝄞\u0000\\u0000\\ud800 \u2028"}' },
  { name: 'a deep one', url: '/echo', type: JSON_TYPE, body: nested(2000) },
  { name: 'the same key twice', url: '/echo', type: JSON_TYPE, body: '{"a":1,"a":2,"token":"x","token":"y"}' },
  { name: '__proto__', url: '/echo', type: JSON_TYPE, body: '{"__proto__":{"a":1}}' },
  { name: 'numbers beyond a double', url: '/echo', type: JSON_TYPE, body: '[1e400,12345678901234567890,-0]' },
  { name: 'malformed JSON', url: '/echo', type: JSON_TYPE, body: '{"a":' },
  { name: 'invalid UTF-8', url: '/echo', type: 'text/plain', body: Buffer.from([0x61, 0xff, 0xc3, 0x28]) },
  { name: 'invalid UTF-8 as JSON', url: '/echo', type: JSON_TYPE, body: Buffer.from('"\xff\xfe"', 'latin1') },
  { name: 'a form', url: '/echo', type: 'application/x-www-form-urlencoded', body: 'a=1&password=x&a=2&b=%zz' },
  {
    name: 'many parts',
    url: '/parts',
    type: 'multipart/form-data; boundary=x',
    body: '--x\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\n\r\nfile\r\n--x--\r\n',
  },
  { name: 'a stream as a body', url: '/echo', type: 'application/x-stream', body: 'streamed' },
  { name: 'a type that nothing parses', url: '/echo', type: 'application/xml', body: '<a/>' },
  { name: 'a reply compressed by gzip', url: '/compressed', accept: 'gzip' },
  { name: 'a reply compressed by brotli', url: '/compressed', accept: 'br' },
  { name: 'a stream as a reply', url: '/stream' },
  { name: 'a web stream as a reply', url: '/web-stream' },
  { name: 'a Response as a reply', url: '/response' },
  { name: 'bytes as a reply', url: '/bytes' },
  { name: 'an object with a toJSON that counts', url: '/counting' },
  { name: 'a reply that is sent raw', url: '/raw' },
]

async function server(isAudited: boolean, seen: string[]): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 64 * 2 ** 20 })
  const sink = memorySink()
  if (isAudited) {
    await app.register(audit, {
      sinks: [{ name: 'memory', sink }],
      level: 'response',
      capture: { requestHeaders: ['content-type'], responseHeaders: ['content-type', 'content-encoding'] },
    })
    app.addHook('onClose', async () => {
      for (const line of sink.lines) validateLine(line)
      expect(sink.events).toHaveLength(2)
    })
  }
  await app.register(multipart)
  await app.register(compress, { global: false })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  app.addContentTypeParser('application/x-stream', (_, payload, done) => done(null, payload))
  app.post('/echo', async (request, reply) => {
    seen.push(inspect(request.body instanceof Readable ? await textOf(request.body) : request.body, { depth: 5 }))
    return request.body instanceof Readable ? 'stream' : reply.send(request.body)
  })
  app.post('/parts', async (request) => {
    for await (const part of request.parts()) {
      seen.push(part.type === 'file' ? String(await part.toBuffer()) : String(part.value))
    }
    return seen
  })
  app.post('/compressed', { compress: { threshold: 1 } }, async () => ({ text: 'x'.repeat(5000), secret: 's' }))
  app.post('/stream', async (_, reply) => reply.type('text/csv').send(Readable.from(['a,b\n', 'c,d\n'])))
  app.post('/web-stream', async (_, reply) => reply.send(new Blob(['web']).stream()))
  app.post('/response', async () => new Response('{"a":1}', { status: 201, headers: { 'x-a': 'a' } }))
  app.post('/bytes', async (_, reply) => reply.send(Buffer.from([0, 255, 1])))
  app.post('/counting', async () => {
    let calls = 0
    return { toJSON: () => ({ calls: ++calls }) }
  })
  app.post('/raw', (_, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/plain' })
    reply.raw.write('one')
    reply.raw.end('two')
  })
  return app
}

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** Returns every received byte except those of the date. */
async function exchange(isAudited: boolean, { url, type, body = '', accept }: Exchange) {
  const seen: string[] = []
  const app = await server(isAudited, seen)
  const wire = await Wire.open(await listen(app))
  const head = [
    `POST ${url} HTTP/1.1`,
    'host: audit.test',
    'connection: close',
    ...(type === undefined ? [] : [`content-type: ${type}`]),
    ...(accept === undefined ? [] : [`accept-encoding: ${accept}`]),
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  wire.send(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)]))
  const bytes = await wire.closed()
  await wire.leave()
  await app.close()
  return { bytes: bytes.replace(/date: .*\r\n/i, ''), seen }
}

describe('a handler and a client see what they see without the plugin, at the highest level', () => {
  expectNothingUncaught()

  it.each(EXCHANGES)('$name', async (sent) => {
    const bare = await exchange(false, sent)
    const audited = await exchange(true, sent)
    expect(bare.bytes).toMatch(/^HTTP\/1\.1 \d{3} /)
    expect(audited.seen).toEqual(bare.seen)
    expect(audited.bytes === bare.bytes || audited.bytes).toBe(true)
  })
})
