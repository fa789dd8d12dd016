import { MESSAGES } from '../support/fastify.js'
import { type Case, get, getAfter, post } from './case.js'

const json = { 'content-type': 'application/json' }
const needsName = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }

const fails = async () => {
  throw new Error('the handler failed')
}

/** Handlers that fail, bodies that cannot be parsed, and replies of error handlers. */
export const ERROR_CASES: readonly Case[] = [
  { name: 'an async handler throws', status: 500, error: 'the handler failed', declare: get(fails) },
  {
    name: 'a sync handler throws',
    status: 418,
    error: 'short and stout',
    declare: get(() => {
      throw Object.assign(new Error('short and stout'), { statusCode: 418 })
    }),
  },
  {
    name: 'a handler throws what is no error',
    status: 500,
    error: 'just a text',
    declare: get(async () => {
      throw 'just a text'
    }),
  },
  {
    name: 'a handler throws null',
    status: 500,
    error: 'null',
    declare: get(async () => {
      throw null
    }),
  },
  {
    name: 'an error handler replies with another status',
    status: 409,
    error: 'the handler failed',
    declare: getAfter(
      (app) => app.setErrorHandler((_, __, reply) => reply.code(409).send({ message: 'for the client' })),
      fails,
    ),
  },
  {
    name: 'an error handler turns the error into a success',
    status: 200,
    error: 'the handler failed',
    declare: getAfter((app) => app.setErrorHandler((_, __, reply) => reply.code(200).send({ ok: true })), fails),
  },
  {
    name: 'an error handler fails itself',
    status: 500,
    // Fastify calls no hook for the second one.
    error: 'the handler failed',
    declare: getAfter(
      (app) =>
        app.setErrorHandler(async () => {
          throw new Error('the error handler failed too')
        }),
      fails,
    ),
  },
  {
    name: 'validation fails',
    status: 400,
    error: "body must have required property 'name'",
    runs: false,
    declare: post(async () => 'hello', { schema: { body: needsName } }),
    request: { method: 'POST', headers: json, body: '{}' },
  },
  {
    name: 'the body is too large',
    status: 413,
    error: 'Request body is too large',
    runs: false,
    declare: post(async () => 'hello', { bodyLimit: 4 }),
    request: { method: 'POST', headers: json, body: '{"a":1}' },
  },
  {
    name: 'the body is of a type that nobody parses',
    status: 415,
    error: MESSAGES.unknownType,
    runs: false,
    declare: post(async () => 'hello'),
    request: { method: 'POST', headers: { 'content-type': 'application/x-nobody' }, body: 'x' },
  },
  {
    name: 'the JSON is malformed',
    status: 400,
    error: MESSAGES.malformedJson,
    runs: false,
    declare: post(async () => 'hello'),
    request: { method: 'POST', headers: json, body: '{' },
  },
  {
    name: 'the JSON is empty',
    status: 400,
    error: "Body cannot be empty when content-type is set to 'application/json'",
    runs: false,
    declare: post(async () => 'hello'),
    request: { method: 'POST', headers: json, body: '' },
  },
  {
    name: 'a header value is invalid',
    except: 'HTTP/2',
    status: 500,
    error: 'Invalid character in header content ["x-bad"]',
    declare: get((_, reply) => {
      reply.header('x-bad', 'a\nb').send('hello')
    }),
  },
  {
    name: 'the payload is of an invalid type',
    status: 500,
    error: "Attempted to send payload of invalid type 'object'. Expected a string or Buffer.",
    declare: get((_, reply) => {
      reply.type('text/plain').send({ a: 1 })
    }),
  },
  {
    name: 'two replies',
    status: 200,
    declare: get((_, reply) => {
      reply.send('first')
      reply.code(500).send('second')
    }),
  },
  {
    name: 'a reply, then an exception',
    status: 200,
    declare: get(async (_, reply) => {
      reply.send('first')
      throw new Error('too late')
    }),
  },
  {
    name: 'an async handler that sends without returning the reply',
    status: 200,
    declare: get(async (_, reply) => {
      reply.send('first')
    }),
  },
  {
    name: 'an async handler that returns a value after sending',
    status: 200,
    declare: get(async (_, reply) => {
      reply.send('first')
      return 'second'
    }),
  },
]
