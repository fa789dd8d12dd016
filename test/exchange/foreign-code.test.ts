import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AuditOptions, memorySink } from '../../src/index.js'
import { StagedSink } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire, type WireRequest } from '../support/wire.js'
import { listen } from './runner.js'

// Functions, getters and traps of an application that throw: whatever the audit asks of them, the client's reply is the
// one that it gets without the audit.

interface Case {
  name: string
  factory?: object
  options?: Omit<AuditOptions, 'sinks'>
  /** Registers hooks before the plugin. */
  earlier?(app: FastifyInstance): void
  declare(app: FastifyInstance): void
  request?: WireRequest
  /** Parts that its Complete leaves out. */
  omitted?: Array<{ path: string; reason: string }>
}

function fail(): never {
  throw new Error('thrown by the application')
}

/** Error whose `message` and `stack` throw when they are read. */
function unreadable(): Error {
  return Object.defineProperties(new Error(), { message: { get: fail }, stack: { get: fail } })
}

const HOSTILE_TRAPS = { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail }
const hostile = <Target extends object>(target: Target): Target => new Proxy(target, HOSTILE_TRAPS)

const POST: WireRequest = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"password":"hunter2","secret_of_the_route":"x"}',
}

/** Logger that throws for warnings and errors. */
function brokenLogger(): object {
  const info = () => undefined
  const logger = { fatal: fail, error: fail, warn: fail, info, debug: info, trace: info, level: 'silent' }
  return Object.assign(logger, { child: () => logger })
}

/** Controller of shared schemas, with or without a `getSchema`. */
function schemasWith(bucket: object): object {
  const compilersFactory = { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify }
  return {
    schemaController: { bucket: () => ({ add: () => undefined, getSchemas: () => ({}), ...bucket }), compilersFactory },
  }
}

const withSharedSchema = (app: FastifyInstance): void => {
  const schema = { body: { $ref: 'shared#' }, response: { 200: { $ref: 'shared#' } } }
  app.post('/', { schema }, async () => ({ ok: true }))
}
const withHello = (app: FastifyInstance): void => void app.post('/', async () => 'hello')

/** Server whose error handler answers without reading the error. */
const withBlindErrors = (app: FastifyInstance): void => {
  app.setErrorHandler((_, __, reply) => reply.code(500).send('failed'))
}

const SCHEMA_UNKNOWN = [
  { path: 'request.body', reason: 'schema unknown' },
  { path: 'response.body', reason: 'schema unknown' },
]

const CASES: Case[] = [
  {
    name: 'a `getSchema` that throws',
    factory: schemasWith({ getSchema: fail }),
    declare: withSharedSchema,
    omitted: SCHEMA_UNKNOWN,
  },
  {
    name: 'a `getSchema` that is not there',
    factory: schemasWith({}),
    declare: withSharedSchema,
    omitted: SCHEMA_UNKNOWN,
  },
  {
    name: 'a `schemaErrorFormatter` that throws',
    factory: { schemaErrorFormatter: fail },
    declare: (app) => void app.post('/', { schema: { body: { type: 'array' } } }, async () => 'hello'),
  },
  {
    name: 'a validator that throws',
    declare: (app) => {
      app.post('/', { schema: { body: {} }, validatorCompiler: () => fail }, async () => 'hello')
    },
  },
  { name: 'an identity that throws', options: { identity: fail }, declare: withHello },
  {
    name: 'an identity that throws what cannot be logged',
    factory: { logger: { level: 'warn', stream: { write: () => undefined } } },
    options: {
      identity: () => {
        throw unreadable()
      },
    },
    declare: withHello,
  },
  { name: 'an identity of getters', options: { identity: () => hostile({ accessorId: 'a' }) }, declare: withHello },
  { name: 'a namespace that throws', options: { namespace: fail }, declare: withHello },
  {
    name: 'a logger that throws, and something to log',
    factory: { loggerInstance: brokenLogger(), disableRequestLogging: true },
    options: { identity: fail, namespace: fail },
    declare: withHello,
  },
  {
    name: 'a serializer of logged errors that throws',
    factory: { logger: { level: 'warn', stream: { write: () => undefined }, serializers: { err: fail } } },
    options: { identity: fail },
    declare: withHello,
  },
  {
    name: 'an error whose message is a getter that throws',
    declare: (app) => {
      withBlindErrors(app)
      app.post('/', async () => {
        throw unreadable()
      })
    },
  },
  {
    name: 'an error that is a Proxy',
    declare: (app) => {
      withBlindErrors(app)
      app.post('/', (_, reply) => {
        reply.code(400)
        reply.send(new Proxy(new Error('x'), { has: fail }))
      })
    },
  },
  {
    name: 'a header without a text',
    declare: (app) => {
      withBlindErrors(app)
      app.post('/', (_, reply) => {
        reply.header('content-length', { toString: fail, valueOf: fail })
        reply.send('hello')
      })
    },
  },
  {
    name: 'a header that is a Proxy',
    options: { capture: { responseHeaders: ['x-list'] } },
    declare: (app) => {
      withBlindErrors(app)
      app.post('/', (_, reply) => {
        Reflect.apply(reply.header, reply, ['x-list', hostile(['a'])])
        reply.send('hello')
      })
    },
  },
  {
    name: 'a `trustProxy` that throws',
    factory: { trustProxy: fail },
    declare: withHello,
    request: { ...POST, headers: { ...POST.headers, 'x-forwarded-for': '192.0.2.1' } },
  },
  {
    name: 'a `genReqId` whose ids have no text',
    factory: { genReqId: () => Object.create(null) },
    declare: withHello,
  },
  {
    name: 'annotations that cannot be read, also of an earlier hook',
    earlier: (app) =>
      void app.addHook('onRequest', async ({ audit }) => {
        if (audit === undefined) return
        audit.annotate(hostile({}))
        Reflect.apply(audit.annotate, audit, [null])
      }),
    declare: (app) =>
      void app.post('/', async ({ audit }) => {
        audit?.annotate(hostile({}))
        return 'hello'
      }),
    omitted: [{ path: 'annotations', reason: 'not readable' }],
  },
  {
    name: 'a body that is a Proxy',
    declare: (app) => {
      app.addContentTypeParser('text/x', { parseAs: 'string' }, (_, __, done) => done(null, hostile({ a: 1 })))
      withHello(app)
    },
    request: { ...POST, headers: { 'content-type': 'text/x' } },
  },
  {
    name: 'a payload with a property that throws',
    declare: (app) => {
      app.post('/', (_, reply) => {
        reply.code(400)
        reply.send(Object.defineProperty(Buffer.from('{"message":"no"}'), 'byteOffset', { get: fail }))
      })
    },
  },
  {
    name: "a route's `config.audit` that is a Proxy",
    earlier: (app) => {
      const config: object = { audit: hostile({ level: 'none' }) }
      app.post('/', { config }, async () => 'hello')
    },
    declare: () => undefined,
  },
]

/** Returns every byte except those of the time of day. */
async function bytesOf(app: FastifyInstance, request: WireRequest): Promise<string> {
  const wire = await Wire.open(await listen(app))
  wire.send(requestBytes(request))
  return (await wire.until(() => false)).replace(/^date: .*\r\n/im, '')
}

function sinkThat(behaviour: 'stores at once' | 'is slow') {
  if (behaviour === 'stores at once') return memorySink()
  const sink = new StagedSink()
  sink.received = 'is slow'
  sink.complete = 'is slow'
  return sink
}

describe.each(CASES)('$name', ({ factory, options, earlier, declare, request = POST, omitted }) => {
  expectNothingUncaught()

  it.each(['stores at once', 'is slow'] as const)(
    'changes nothing, and a sink that %s has both records',
    async (how) => {
      const plain = Fastify({ ...factory })
      onTestFinished(() => plain.close())
      earlier?.(plain)
      declare(plain)
      const expected = await bytesOf(plain, request)
      expect(expected).toMatch(/^HTTP\/1.1 \d/)

      const sink = sinkThat(how)
      const app = Fastify({ ...factory })
      onTestFinished(() => app.close())
      earlier?.(app)
      await app.register(audit, { level: 'response', ...options, sinks: [{ name: 'sink', sink }] })
      declare(app)
      expect(await bytesOf(app, request)).toBe(expected)
      const payloads = ('events' in sink ? sink.events : sink.stored.map(({ event }) => event)).map(
        ({ payload }) => payload,
      )
      const records = payloads.filter((payload) => payload.type === 'audit')
      expect(records.map(({ stage }) => stage)).toEqual(['OperationReceived', 'OperationComplete'])
      expect(records[1]?.omitted ?? []).toEqual(expect.arrayContaining(omitted ?? []))
      expect(JSON.stringify(records)).not.toContain('hunter2')
      expect(app.audit.stats()).toMatchObject({ audited: 1, open: 0 })
    },
  )
})
