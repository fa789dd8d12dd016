import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'
import { askHttp2 } from '../support/http2.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask } from '../support/wire.js'
import { expectReplaced } from './runner.js'
import { serve, trailOf } from './server.js'

/** Calls a method with arguments that Node allows but its type does not. */
function loosely(raw: FastifyReply['raw'], method: keyof ServerResponse, ...args: unknown[]): void {
  const call: unknown = Reflect.get(raw, method)
  if (typeof call === 'function') Reflect.apply(call, raw, args)
}

const REPLIES: Record<string, { reply: (raw: FastifyReply['raw']) => void; status: number; body: string }> = {
  'a status that is a text': {
    reply: (raw) => {
      loosely(raw, 'writeHead', '201', { 'x-secret': '1' })
      raw.end('secret')
    },
    status: 201,
    body: 'secret',
  },
  'a status with a fraction': {
    reply: (raw) => {
      loosely(raw, 'writeHead', 201.5)
      raw.end('secret')
    },
    status: 201,
    body: 'secret',
  },
  'a text that is set as the status': {
    reply: (raw) => {
      Reflect.set(raw, 'statusCode', '0201')
      raw.end('secret')
    },
    status: 201,
    body: 'secret',
  },
}

/** Replies that only HTTP/2 accepts, because its responses are streams. */
const HTTP2_REPLIES: typeof REPLIES = {
  'no status at all': {
    reply: (raw) => {
      loosely(raw, 'writeHead')
      raw.end('secret')
    },
    status: 200,
    body: 'secret',
  },
  'a typed array that is written': {
    reply: (raw) => {
      loosely(raw, 'write', new Uint16Array([0x4141]))
      raw.end('B')
    },
    status: 200,
    body: 'AAB',
  },
  'a view that it ends with': {
    reply: (raw) => loosely(raw, 'end', new DataView(new Uint8Array([0x41]).buffer)),
    status: 200,
    body: 'A',
  },
  'trailers before the first byte': {
    reply: (raw) => {
      raw.addTrailers({ 'x-sum': 'secret' })
      raw.end('A')
    },
    status: 200,
    body: 'A',
  },
}

const SERVERS = [
  { name: 'HTTP/1.1', factory: {}, replies: REPLIES, request: async (port: number) => (await ask(port, {}))[0] },
  {
    name: 'HTTP/2',
    factory: { http2: true },
    replies: { ...REPLIES, ...HTTP2_REPLIES },
    request: (port: number) => askHttp2(port, {}),
  },
]

describe.each(SERVERS)('a raw reply over $name with', ({ factory, replies, request }) => {
  expectNothingUncaught()

  describe.each(Object.entries(replies))('%s', (_, { reply, status, body }) => {
    const serveReply = () =>
      serve({
        factory,
        declare: (app) => app.get('/', (_, { raw }) => reply(raw)),
      })

    it('goes out with the status that is recorded', async () => {
      const served = await serveReply()
      const got = await request(served.port)
      expect(got).toMatchObject({ status, body, isWhole: true })
      expect(await trailOf(served)).toEqual(['Received', `Complete ${status}`])
    })

    it('is withheld, all of it, when its Complete is not stored', async () => {
      const served = await serveReply()
      served.sink.complete = 'fails'
      const got = await request(served.port)
      expectReplaced(got, 'withheld', [...served.sink.ids()])
      expect(JSON.stringify(got)).not.toContain('secret')
      expect(await trailOf(served)).toEqual(['Received', 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'])
    })
  })
})

it('sends the trailers of a raw HTTP/2 reply that were added before its first byte', async () => {
  const { port } = await serve({
    factory: { http2: true },
    declare: (app) =>
      app.get('/', (_, reply) => {
        reply.raw.addTrailers({ 'x-sum': '1' })
        reply.raw.end('A')
      }),
  })
  expect((await askHttp2(port, {})).trailers).toEqual([['x-sum', '1']])
})

it('leaves a status that Node refuses to Node, and records what is sent then', async () => {
  const served = await serve({
    declare: (app) =>
      app.get('/', async (_, reply) => {
        Reflect.set(reply.raw, 'statusCode', 'none')
        reply.raw.end('secret')
      }),
  })
  const [reply] = await ask(served.port, {})
  expect(reply).toMatchObject({ status: 500, isWhole: true })
  expect(await trailOf(served)).toEqual(['Received', 'Complete 500 (Invalid status code: none)'])
})
