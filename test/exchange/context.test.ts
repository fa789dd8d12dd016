import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { fastifyRequestContext, requestContext } from '@fastify/request-context'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask } from '../support/wire.js'
import { serve } from './server.js'

declare module '@fastify/request-context' {
  interface RequestContextData {
    number: string
  }
}

/** Values that each hook of one request found in the store, by the request's number. */
type Seen = Map<string, string[]>

const storage = new AsyncLocalStorage<string>()

/** Stores of each kind, filled in a hook before or after the plugin's. */
const stores: Array<{
  name: string
  isFirst?: true
  use(app: FastifyInstance): unknown
  read(): string | undefined
}> = [
  {
    name: '@fastify/request-context',
    use: (app) => {
      app.register(fastifyRequestContext)
      app.addHook('preParsing', async (request) => requestContext.set('number', numberOf(request.url)))
    },
    read: () => requestContext.get('number'),
  },
  {
    name: 'AsyncLocalStorage.run in an onRequest hook',
    use: (app) =>
      app.addHook('onRequest', (request, _, done) => {
        storage.run(numberOf(request.url), done)
      }),
    read: () => storage.getStore(),
  },
  {
    name: 'AsyncLocalStorage.run in an onRequest hook before the plugin',
    isFirst: true,
    use: (app) =>
      app.addHook('onRequest', (request, _, done) => {
        storage.run(numberOf(request.url), done)
      }),
    read: () => storage.getStore(),
  },
]

function numberOf(url: string): string {
  return url.split('/').at(-1) ?? ''
}

function observe(app: FastifyInstance, read: () => string | undefined, seen: Seen): void {
  const note = (where: string, url: string): void => {
    const number = numberOf(url)
    seen.set(number, [...(seen.get(number) ?? []), `${where} ${read()}`])
  }
  app.addHook('onSend', async ({ url }) => note('onSend', url))
  app.addHook('onResponse', async ({ url }) => note('onResponse', url))
  app.get('/text/:number', async ({ url }) => {
    note('handler', url)
    await new Promise((resolve) => setImmediate(resolve))
    note('later', url)
    return 'hello'
  })
  app.get('/stream/:number', ({ url }, reply) => {
    note('handler', url)
    reply.send(Readable.from([numberOf(url)]))
  })
  app.get('/raw/:number', ({ url }, reply) => {
    note('handler', url)
    reply.hijack()
    const end = (): void => {
      note('drained', url)
      reply.raw.end()
    }
    if (reply.raw.write('a')) end()
    else reply.raw.once('drain', end)
  })
}

const expected: Record<string, string[]> = {
  text: ['handler', 'later', 'onSend', 'onResponse'],
  stream: ['handler', 'onSend', 'onResponse'],
  raw: ['handler', 'drained', 'onResponse'],
}

describe.each(stores)('$name', ({ isFirst, use, read }) => {
  expectNothingUncaught()

  it.each(['enforced', 'best-effort'] as const)(
    'never shows a request the store of another that was recorded in the same batch (%s)',
    async (deliveryGuarantee) => {
      const seen: Seen = new Map()
      const { sink, port, app } = await serve({
        deliveryGuarantee,
        before: (instance) => {
          if (isFirst) use(instance)
        },
        declare: (instance) => {
          if (!isFirst) use(instance)
          observe(instance, read, seen)
        },
      })
      sink.received = 'is slow'
      sink.complete = 'is slow'
      const kinds = Object.keys(expected)
      const numbers = Array.from({ length: 24 }, (_, index) => String(index))
      const kindOf = (number: string): string => kinds[Number(number) % kinds.length] ?? ''
      await Promise.all(numbers.map((number) => ask(port, { url: `/${kindOf(number)}/${number}` })))
      await app.audit.flush()
      expect(app.audit.stats().sinks.staged?.batches).toBeLessThan(48)
      for (const number of numbers) {
        expect(seen.get(number)).toEqual(expected[kindOf(number)]?.map((where) => `${where} ${number}`))
      }
    },
  )
})

it.each(['stores', 'is slow'] as const)(
  'goes on with a reply where that was sent, when it came before Received was stored (Complete %s)',
  async (complete) => {
    const seen: Array<string | undefined> = []
    const { sink, port } = await serve({
      before: (app) =>
        app.addHook('onRequest', (_request, reply, done) => {
          storage.run('who gave up waiting', () => setImmediate(() => reply.code(503).send('too late')))
          storage.run('the request', done)
        }),
      declare: (app) => {
        app.addHook('onResponse', async () => seen.push(storage.getStore()))
        app.get('/', async () => 'hello')
      },
    })
    sink.received = 'is slow'
    sink.complete = complete
    const [reply] = await ask(port, { url: '/' })
    expect(reply?.status).toBe(503)
    expect(seen).toEqual(['who gave up waiting'])
  },
)
