import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import multipart from '@fastify/multipart'
import fastifyStatic from '@fastify/static'
import { KNOWS } from '../support/fastify.js'
import { type Case, get } from './case.js'

const root = fileURLToPath(new URL('../../schema', import.meta.url))

const TRAILERS_AFTER_STREAM: Case = {
  name: 'trailers after a stream',
  status: 200,
  declare: get((_, reply) => reply.trailer('x-sum', async () => 'abc').send(Readable.from(['a', 'b']))),
  sees: (reply) => reply.trailers.some(([name, value]) => name === 'x-sum' && value === 'abc'),
}

/** Cases whose reply comes in pieces. */
export const STREAM_CASES: readonly Case[] = [
  { name: 'a node stream', status: 200, declare: get((_, reply) => reply.send(Readable.from(['a', 'b', 'c']))) },
  { name: 'an empty stream', status: 200, declare: get((_, reply) => reply.send(Readable.from([]))) },
  {
    name: 'a long stream',
    status: 200,
    declare: get((_, reply) => reply.send(Readable.from(Array.from({ length: 40 }, () => 'x'.repeat(20_000))))),
  },
  {
    name: 'a web stream',
    status: 200,
    declare: get((_, reply) => reply.send(new Blob(['hello']).stream())),
  },
  {
    name: 'a Response, whose status is its own',
    status: 418,
    declare: get((_, reply) => reply.send(new Response('hello', { status: 418, headers: { 'x-own': '1' } }))),
  },
  {
    name: 'a Response without a body',
    status: 202,
    declare: get((_, reply) => reply.send(new Response(null, { status: 202 }))),
  },
  {
    name: 'a stream that fails before its first byte',
    status: 500,
    error: 'no first byte',
    declare: get((_, reply) => {
      const source = new PassThrough()
      setImmediate(() => source.destroy(new Error('no first byte')))
      return reply.send(source)
    }),
  },
  {
    name: 'a web stream that fails at once',
    status: 500,
    error: 'no first chunk',
    declare: get((_, reply) =>
      reply.send(
        new ReadableStream({
          pull: (controller) => controller.error(new Error('no first chunk')),
        }),
      ),
    ),
  },
  {
    name: 'trailers after a string',
    status: 200,
    declare: get((_, reply) => {
      reply.trailer('x-sum', async () => 'abc').send('hello')
    }),
    sees: (reply) => reply.trailers.some(([name, value]) => name === 'x-sum' && value === 'abc'),
  },
  ...(KNOWS.streamTrailers ? [TRAILERS_AFTER_STREAM] : []),
  {
    name: 'a static file',
    status: 200,
    runs: false,
    declare: (app) => app.register(fastifyStatic, { root }),
    request: { url: '/event.schema.json' },
  },
  {
    name: 'a part of a static file',
    status: 206,
    runs: false,
    declare: (app) => app.register(fastifyStatic, { root }),
    request: { url: '/event.schema.json', headers: { range: 'bytes=0-9' } },
  },
  {
    name: 'a static file that is not there',
    status: 404,
    error: 'Route GET:/nothing.json not found',
    runs: false,
    declare: (app) => app.register(fastifyStatic, { root }),
    request: { url: '/nothing.json' },
  },
  {
    name: 'multipart',
    status: 200,
    declare: (app, probe) =>
      app.register(multipart).after(() => {
        app.post(
          '/',
          probe.counted(async (request) => (await (await request.file())?.toBuffer())?.toString()),
        )
      }),
    request: {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\ncontent\r\n--b--\r\n',
    },
    sees: (reply) => reply.body === 'content',
  },
]
