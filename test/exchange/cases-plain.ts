import { type Case, get, post } from './case.js'

const hello = async () => 'hello'

/** Replies of handlers, and Fastify's own replies if there is no handler. */
export const PLAIN_CASES: readonly Case[] = [
  { name: 'a string from an async handler', status: 200, declare: get(hello) },
  {
    name: 'JSON through a response schema',
    status: 200,
    declare: get(async () => ({ a: 1, secret: 2 }), {
      schema: { response: { 200: { type: 'object', properties: { a: { type: 'number' } } } } },
    }),
  },
  {
    name: 'JSON from a sync handler',
    status: 201,
    declare: get((_, reply) => {
      reply.code(201).header('set-cookie', ['a=1', 'b=2']).send({ ok: true })
    }),
  },
  {
    name: 'a buffer',
    status: 200,
    declare: get((_, reply) => {
      reply.send(Buffer.from([1, 2, 255]))
    }),
  },
  {
    name: 'an empty reply',
    status: 200,
    declare: get((_, reply) => {
      reply.send()
    }),
  },
  {
    name: 'a redirect',
    status: 302,
    declare: get((_, reply) => {
      reply.redirect('/elsewhere')
    }),
  },
  {
    name: '204',
    status: 204,
    declare: get(async (_, reply) => {
      reply.code(204)
    }),
  },
  {
    name: '304',
    status: 304,
    declare: get((_, reply) => {
      reply.code(304).header('etag', '"x"').send()
    }),
  },
  { name: 'HEAD', status: 200, declare: get(hello), request: { method: 'HEAD' } },
  {
    name: 'OPTIONS',
    status: 200,
    declare: (app, probe) =>
      app.options(
        '/',
        probe.counted(async (_, reply) => {
          reply.header('allow', 'GET')
          return ''
        }),
      ),
    request: { method: 'OPTIONS' },
  },
  {
    name: 'a parsed body',
    status: 200,
    declare: post(async (request) => request.body),
    request: { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' },
  },
  {
    name: 'an error status with a message in the body',
    status: 403,
    error: 'Permission denied',
    declare: get((_, reply) => {
      reply.code(403).send({ error: 'Permission denied' })
    }),
  },
  { name: '404', status: 404, error: 'Route GET:/nowhere not found', runs: false, request: { url: '/nowhere' } },
  {
    name: 'a method that no route has',
    status: 404,
    error: 'Route PURGE:/ not found',
    runs: false,
    declare: get(hello),
    request: { method: 'PURGE' },
  },
  {
    name: '404 in a prefix',
    status: 404,
    error: 'nothing in v1',
    runs: false,
    declare: (app) =>
      app.register(
        async (child) => {
          child.setNotFoundHandler((_, reply) => {
            reply.code(404).send({ message: 'nothing in v1' })
          })
        },
        { prefix: '/v1' },
      ),
    request: { url: '/v1/nowhere' },
  },
  {
    name: 'callNotFound',
    status: 404,
    error: 'Route GET:/ not found',
    declare: get((_, reply) => {
      reply.callNotFound()
    }),
  },
  {
    name: 'a route in an encapsulated plugin',
    status: 200,
    declare: (app, probe) =>
      app.register(async (child) => {
        await child.register(async (grandchild) => {
          grandchild.get('/', probe.counted(hello))
        })
      }),
  },
  { name: 'a route that was declared before the plugin', status: 200, before: get(hello) },
]
