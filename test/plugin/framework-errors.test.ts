import { connect } from 'node:http2'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type HTTPMethods } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { auditFrameworkErrors, type MemorySink, memorySink } from '../../src/index.js'
import { listen } from '../exchange/runner.js'
import { StagedSink } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { Wire } from '../support/wire.js'

/** Hooks of an application, none of which runs for a URL that is refused. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse']

interface Asked {
  method: HTTPMethods
  url: string
  headers?: Record<string, string>
}

const REFUSED: Array<Asked & { name: string }> = [
  { name: 'a URL that cannot be decoded', method: 'GET', url: '/%zz?a=%22' },
  { name: 'one of a method without a route', method: 'POST', url: '/%c0' },
  { name: 'a parameter that is too long', method: 'GET', url: `/items/${'x'.repeat(200)}` },
  { name: 'HEAD of one', method: 'HEAD', url: `/items/${'x'.repeat(200)}` },
  {
    name: 'a constraint that fails',
    method: 'GET',
    url: '/constrained',
    headers: { 'x-tenant': 'unknown' },
  },
]

/** A constraint that fails for requests that name a tenant. */
const TENANT = {
  name: 'tenant',
  storage: () => ({ get: () => null, set: () => undefined }),
  deriveConstraint: (
    { headers }: { headers: Record<string, unknown> },
    _: unknown,
    done: (error: Error | null, tenant?: unknown) => void,
  ) => done(headers['x-tenant'] === undefined ? null : new Error('no such tenant'), 'none'),
  validate: () => true,
  mustMatchWhenDerived: false,
}

interface Server {
  app: FastifyInstance
  /** Calls of the application's hooks, and lines of the server's log. */
  seen: string[]
}

/** The same application on any server. */
async function server(
  factory: FastifyServerOptions & { http2?: true },
  before: (app: FastifyInstance) => unknown = () => undefined,
): Promise<Server> {
  const seen: string[] = []
  const write = (line: string): void => {
    const { msg }: { msg: string } = JSON.parse(line)
    if (!msg.startsWith('Server listening')) seen.push(`log: ${msg}`)
  }
  const options: object = { ...factory, logger: { level: 'info', stream: { write } } }
  const app: FastifyInstance = Fastify(options)
  onTestFinished(() => app.close())
  Reflect.apply(app.addConstraintStrategy, app, [TENANT])
  await before(app)
  for (const name of HOOKS) {
    const note = (...args: unknown[]): void => {
      seen.push(name)
      const done = args.at(-1)
      if (typeof done === 'function') done()
    }
    Reflect.apply(app.addHook, app, [name, note])
  }
  app.get('/items/:id', async () => 'hello')
  app.get('/constrained', { constraints: { tenant: 'a' } }, async () => 'hello')
  await app.ready()
  seen.length = 0
  return { app, seen }
}

/** Returns the received bytes except the time of day. */
const TRANSPORTS: Record<
  string,
  { factory: { http2?: true }; ask(app: FastifyInstance, asked: Asked): Promise<string> }
> = {
  'HTTP/1': {
    factory: {},
    ask: async (app, { method, url, headers = {} }) => {
      const wire = await Wire.open(await listen(app))
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      wire.send(`${method} ${url} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${lines.join('')}\r\n`)
      const bytes = await wire.until(() => false)
      return bytes.replace(/^Date: .*\r\n/m, '')
    },
  },
  'HTTP/2': {
    factory: { http2: true },
    ask: async (app, { method, url, headers = {} }) => {
      const session = connect(`http://127.0.0.1:${await listen(app)}`)
      const stream = session.request({ ':method': method, ':path': url, ...headers }, { endStream: true })
      const got: unknown[] = []
      stream.on('response', ({ date, ...rest }) => got.push(Object.entries(rest)))
      stream.on('data', (chunk) => got.push(String(chunk)))
      await new Promise((resolve) => stream.on('close', resolve))
      await new Promise<void>((resolve) => session.close(resolve))
      return JSON.stringify(got)
    },
  },
  inject: {
    factory: {},
    ask: async (app, asked) => {
      const { statusCode, headers, payload } = await app.inject(asked)
      const { date, ...rest } = headers
      return JSON.stringify([statusCode, rest, payload])
    },
  },
}

function sinkThat(behaviour: 'stores at once' | 'is slow'): StagedSink | MemorySink {
  if (behaviour === 'stores at once') return memorySink()
  const sink = new StagedSink()
  sink.received = 'is slow'
  sink.complete = 'is slow'
  return sink
}

describe.each(Object.entries(TRANSPORTS))(
  'over %s, auditFrameworkErrors() changes nothing of',
  (_, { factory, ask }) => {
    expectNothingUncaught()

    it.each(REFUSED)('$name', async ({ name: _, ...asked }) => {
      const plain = await server(factory)
      const expected = await ask(plain.app, asked)
      // The status depends on the version of Fastify.
      expect(expected).toMatch(/400|404|414|500/)
      // Fastify itself logs a line if there is a handler for these errors.
      const handled = await server({ ...factory, frameworkErrors: (_, __, reply) => reply.raw.end() })
      await ask(handled.app, asked)
      for (const behaviour of ['stores at once', 'is slow'] as const) {
        for (const deliveryGuarantee of ['enforced', 'best-effort'] as const) {
          const sink = sinkThat(behaviour)
          const audited = await server({ ...factory, frameworkErrors: auditFrameworkErrors() }, (app) =>
            app.register(audit, { sinks: [{ name: 'sink', sink, deliveryGuarantee }] }),
          )
          expect(await ask(audited.app, asked)).toBe(expected)
          expect(audited.seen).toEqual(handled.seen)
          expect(audited.app.audit.stats()).toMatchObject({ audited: 1, repliedBeforePlugin: 0, unseen: {} })
        }
      }
    })
  },
)
