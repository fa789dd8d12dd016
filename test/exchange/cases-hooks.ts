import compress from '@fastify/compress'
import cors from '@fastify/cors'
import etag from '@fastify/etag'
import type { FastifyInstance, FastifyReply } from 'fastify'
import onHeaders from 'on-headers'
import { header } from '../support/wire.js'
import { type Case, get, getAfter } from './case.js'

const hello = async () => 'hello'
const early = { runs: false, declare: get(hello) } as const

function onRequest(hook: (reply: FastifyReply) => unknown) {
  return (app: FastifyInstance) => {
    app.addHook('onRequest', async (_, reply) => hook(reply))
  }
}

/** Wraps the raw response as sessions and timers do. */
function listensToHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_, reply, done) => {
    let calls = 0
    onHeaders(reply.raw, () => {
      calls++
      reply.raw.setHeader('x-calls', String(calls))
    })
    done()
  })
}

function changesStatusInHead(app: FastifyInstance): void {
  app.addHook('onRequest', (_, reply, done) => {
    onHeaders(reply.raw, () => {
      reply.raw.statusCode = 226
    })
    done()
  })
}

function rejectsOnSend(app: FastifyInstance): void {
  app.addHook('onSend', async (_, reply) => {
    if (reply.statusCode < 400) throw Object.assign(new Error('onSend rejects'), { statusCode: 422 })
  })
}

/** Hooks that were registered before the plugin, and reply or fail. */
const EARLIER_HOOKS: readonly Case[] = [
  {
    name: 'an earlier hook replies 401',
    status: 401,
    error: 'who are you',
    before: onRequest((reply) => reply.code(401).send({ message: 'who are you' })),
    ...early,
  },
  {
    name: 'an earlier hook answers a CORS preflight',
    status: 204,
    before: (app) => app.register(cors, { origin: 'https://a.test' }),
    ...early,
    request: {
      method: 'OPTIONS',
      headers: { origin: 'https://a.test', 'access-control-request-method': 'PUT' },
    },
  },
  {
    name: 'an earlier hook throws',
    status: 500,
    error: 'no database',
    before: onRequest(() => {
      throw new Error('no database')
    }),
    ...early,
  },
  {
    name: 'an earlier plugin wraps the response',
    status: 200,
    before: listensToHeaders,
    declare: get(hello),
    sees: (reply) => header(reply, 'x-calls') === '1',
  },
]

/** Hooks that were registered after the plugin, on any level. */
const LATER_HOOKS: readonly Case[] = [
  {
    name: 'a later onRequest hook replies',
    status: 401,
    error: 'who are you',
    runs: false,
    declare: getAfter(
      onRequest((reply) => reply.code(401).send({ message: 'who are you' })),
      hello,
    ),
  },
  {
    name: 'a later onRequest hook throws',
    status: 500,
    error: 'no database',
    runs: false,
    declare: getAfter(
      onRequest(() => {
        throw new Error('no database')
      }),
      hello,
    ),
  },
  {
    name: "a route's preHandler replies",
    status: 403,
    error: 'not yours',
    runs: false,
    declare: get(hello, { preHandler: async (_, reply) => reply.code(403).send({ error: 'not yours' }) }),
  },
  {
    name: 'a later onSend hook changes the status',
    status: 202,
    declare: getAfter((app) => app.addHook('onSend', async (_, reply) => void reply.code(202)), hello),
  },
  {
    name: "a child's onSend hook changes the status",
    status: 203,
    declare: (app, probe) =>
      app.register(async (child) => {
        child.addHook('onSend', async (_, reply) => void reply.code(203))
        child.get('/', probe.counted(hello))
      }),
  },
  {
    name: "a route's onSend hook changes status and payload",
    status: 206,
    declare: get(hello, {
      onSend: async (_, reply) => {
        reply.code(206)
        return 'hell'
      },
    }),
  },
  {
    name: 'a hook that an onRoute hook adds later changes the status',
    status: 207,
    declare: (app, probe) => {
      app.addHook('onRoute', (route) => {
        route.onSend = async (_, reply) => void reply.code(207)
      })
      app.get('/', probe.counted(hello))
    },
  },
  {
    name: 'compression',
    status: 200,
    declare: (app, probe) =>
      app.register(compress, { threshold: 0, global: true }).after(() => {
        app.get(
          '/',
          probe.counted(async () => 'hello '.repeat(500)),
        )
      }),
    request: { headers: { 'accept-encoding': 'gzip' } },
    sees: (reply) => header(reply, 'content-encoding') === 'gzip',
  },
  {
    name: 'an etag turns a 200 into a 304',
    status: 304,
    declare: (app, probe) =>
      app.register(etag).after(() => {
        app.get(
          '/',
          probe.counted(async (_, reply) => {
            reply.header('etag', '"x"')
            return 'hello'
          }),
        )
      }),
    request: { headers: { 'if-none-match': '"x"' } },
  },
  { name: 'an onSend hook rejects', status: 422, error: 'onSend rejects', declare: getAfter(rejectsOnSend, hello) },
  {
    name: 'an onSend hook rejects, and the error handler makes a success of it',
    status: 200,
    error: 'onSend rejects',
    declare: getAfter((app) => {
      let isFirst = true
      app.addHook('onSend', async () => {
        const rejects = isFirst
        isFirst = false
        if (rejects) throw new Error('onSend rejects')
      })
      app.setErrorHandler((_, __, reply) => reply.code(200).send({ ok: true }))
    }, hello),
  },
  {
    name: 'an onSend hook rejects again and again',
    status: 500,
    error: 'onSend always rejects',
    declare: getAfter(
      (app) =>
        app.addHook('onSend', async () => {
          throw new Error('onSend always rejects')
        }),
      hello,
    ),
  },
  {
    name: 'a later plugin wraps the response and changes the status',
    status: 226,
    declare: getAfter(changesStatusInHead, hello),
  },
  {
    name: 'a later plugin wraps the response',
    status: 200,
    declare: getAfter(listensToHeaders, hello),
    sees: (reply) => header(reply, 'x-calls') === '1',
  },
]

export const HOOK_CASES: readonly Case[] = [...EARLIER_HOOKS, ...LATER_HOOKS]
