import { pipeline, Readable } from 'node:stream'
import { fastifySSE } from '@fastify/sse'
import type { FastifyReply } from 'fastify'
import { type Case, get } from './case.js'

function hijacked(reply: FastifyReply): FastifyReply['raw'] {
  reply.hijack()
  return reply.raw
}

/** Cases whose reply no `onSend` hook sees. */
export const RAW_CASES: readonly Case[] = [
  {
    name: 'hijacked: writeHead, write, end',
    status: 202,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.writeHead(202, { 'x-own': '1' })
      raw.write('a')
      raw.end('b')
    }),
  },
  {
    name: 'hijacked: writeHead with a reason',
    status: 299,
    except: 'HTTP/2',
    declare: get((_, reply) => {
      hijacked(reply).writeHead(299, 'Mine', { 'x-own': '1' }).end('b')
    }),
  },
  {
    name: 'hijacked: writeHead with a flat list of headers',
    status: 200,
    except: 'HTTP/2',
    declare: get((_, reply) => {
      hijacked(reply).writeHead(200, ['x-own', '1', 'x-own', '2']).end('b')
    }),
  },
  {
    name: 'hijacked: an implicit head before one chunk',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.setHeader('x-own', '1')
      raw.end('hello')
    }),
  },
  {
    name: 'hijacked: an implicit head before many chunks',
    status: 201,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.statusCode = 201
      raw.write('a')
      setImmediate(() => raw.write('b', () => raw.end()))
    }),
  },
  {
    name: 'hijacked: flushHeaders long before the body',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.flushHeaders()
      setImmediate(() => raw.end('hello'))
    }),
  },
  {
    name: 'hijacked: waits for drain after each chunk',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      let left = 6
      const next = (): void => {
        while (left-- > 0) if (!raw.write('x'.repeat(40_000))) return void raw.once('drain', next)
        raw.end()
      }
      next()
    }),
  },
  {
    name: 'hijacked: an error status with a message',
    status: 410,
    error: 'gone for good',
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.statusCode = 410
      raw.end('gone for good')
    }),
  },
  {
    name: 'hijacked: a stream is piped',
    status: 200,
    declare: get((_, reply) => {
      Readable.from(['a', 'b', 'c'.repeat(100_000)]).pipe(hijacked(reply))
    }),
  },
  {
    name: 'hijacked: a pipeline',
    status: 200,
    declare: get((_, reply) => {
      // Destroying the reply ends the pipeline.
      pipeline(Readable.from(['a', 'b', 'c'.repeat(100_000)]), hijacked(reply), () => undefined)
    }),
  },
  {
    name: 'hijacked: the status changes after the first chunk',
    except: 'inject',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.write('a')
      raw.statusCode = 500
      raw.end('b')
    }),
  },
  {
    name: 'hijacked: two ends',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.end('a')
      raw.end()
      raw.end()
    }),
  },
  {
    name: 'hijacked: another head after the end',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.end('a')
      setImmediate(() => {
        if (!raw.headersSent) raw.writeHead(500)
      })
    }),
  },
  {
    name: 'hijacked: every callback is called',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.write('a', 'utf8', () => {
        raw.write(Buffer.from('b'), () => {
          raw.end('c', 'latin1', () => undefined)
        })
      })
    }),
  },
  {
    name: 'raw.end in a later hook that goes on',
    status: 200,
    runs: false,
    declare: (app, probe) => {
      app.addHook('onRequest', (_, reply, done) => {
        reply.raw.end('from the hook')
        done()
      })
      app.get(
        '/',
        probe.counted(async () => 'hello'),
      )
    },
  },
  {
    name: 'raw.end without hijack',
    status: 200,
    declare: get((_, reply) => {
      reply.raw.end('hello')
    }),
  },
  {
    name: 'an earlier hook replies on the raw response',
    status: 401,
    isUnheld: true,
    runs: false,
    before: (app) =>
      app.addHook('onRequest', (_, reply, _done) => {
        hijacked(reply).writeHead(401).end('no')
      }),
    declare: get(async () => 'hello'),
  },
  {
    name: 'a later hook replies on the raw response',
    status: 401,
    error: 'no',
    runs: false,
    declare: (app, probe) => {
      app.addHook('onRequest', (_, reply, _done) => {
        hijacked(reply).writeHead(401).end('no')
      })
      app.get(
        '/',
        probe.counted(async () => 'hello'),
      )
    },
  },
  {
    name: 'a raw event stream',
    status: 200,
    declare: get((_, reply) => {
      const raw = hijacked(reply)
      raw.writeHead(200, { 'content-type': 'text/event-stream' })
      raw.write('data: 1\n\n')
      setImmediate(() => raw.end('data: 2\n\n'))
    }),
  },
  {
    name: 'an event stream of @fastify/sse',
    status: 200,
    except: 'HTTP/2',
    declare: (app, probe) =>
      app.register(async (child) => {
        await fastifySSE(child, {})
        child.get('/', { sse: true }, async (_, reply) => {
          probe.runs++
          await reply.sse.send({ data: 'one' })
          await reply.sse.send({ data: 'two' })
        })
      }),
    request: { headers: { accept: 'text/event-stream', connection: 'keep-alive' } },
    sees: (reply) => reply.body.includes('two'),
  },
]
