import { connect } from 'node:http2'
import { PassThrough, pipeline } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ReplyEnd } from '../../src/index.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes, Wire } from '../support/wire.js'
import { GUARANTEES } from './oracle.js'
import { listen } from './runner.js'
import { prepare, type Served, type Setup, trailOf } from './server.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** What a handler sends, a piece at a time. */
interface Source {
  write(text: string): void
  end(): void
  fail(error: Error): void
}

/** Kinds of replies that go on after their first bytes. */
const KINDS: Record<string, (reply: FastifyReply) => Source> = {
  'a stream': (reply) => {
    const stream = new PassThrough()
    stream.on('error', () => undefined)
    reply.send(stream)
    return streamSource(stream)
  },
  'a web stream': (reply) => {
    const { stream, source } = webSource()
    reply.send(stream)
    return source
  },
  'a Response': (reply) => {
    const { stream, source } = webSource()
    reply.send(new Response(stream))
    return source
  },
  'a raw reply': (reply) => {
    reply.hijack()
    return {
      write: (text) => reply.raw.write(text),
      end: () => reply.raw.end(),
      fail: (error) => reply.raw.destroy(error),
    }
  },
  'a pipeline to the raw reply': (reply) => {
    reply.hijack()
    const stream = new PassThrough()
    pipeline(stream, reply.raw, () => undefined)
    return streamSource(stream)
  },
}

function streamSource(stream: PassThrough): Source {
  return { write: (text) => stream.write(text), end: () => stream.end(), fail: (error) => stream.destroy(error) }
}

function webSource(): { stream: ReadableStream; source: Source } {
  let controller: ReadableStreamDefaultController | undefined
  const stream = new ReadableStream({
    start: (given) => {
      controller = given
    },
  })
  const ignoringCancelled = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
  const source: Source = {
    write: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: (error) => ignoringCancelled(() => controller?.error(error)),
  }
  return { stream, source }
}

/** A client that has seen the first bytes of a reply. */
interface Client {
  /** Resolves when the reply has ended for the client. */
  ended: Promise<unknown>
  leave(): Promise<unknown>
}

const TRANSPORTS: Record<string, { factory: object; ask(app: FastifyInstance): Promise<Client> }> = {
  'HTTP/1.1': { factory: {}, ask: askHttp1 },
  'HTTP/2': { factory: { http2: true }, ask: askHttp2 },
  inject: { factory: {}, ask: askInject },
}

async function askHttp1(app: FastifyInstance): Promise<Client> {
  const wire = await Wire.open(await listen(app))
  wire.send(requestBytes({}))
  await wire.until((bytes) => bytes.includes('first'))
  return { ended: wire.closed(), leave: () => wire.leave('reset') }
}

async function askHttp2(app: FastifyInstance): Promise<Client> {
  const session = connect(`http://127.0.0.1:${await listen(app)}`)
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => undefined)
  const ended = new Promise((resolve) => stream.once('close', resolve)).then(
    () => new Promise<void>((resolve) => session.close(resolve)),
  )
  await new Promise((resolve) => stream.once('data', resolve))
  return {
    ended,
    leave: () => {
      stream.close(8)
      return ended
    },
  }
}

async function askInject(app: FastifyInstance): Promise<Client> {
  const leaving = new AbortController()
  const { payload } = await injectStream(app, leaving.signal)
  return {
    ended: payload,
    leave: () => {
      leaving.abort()
      return payload
    },
  }
}

async function injectStream(app: FastifyInstance, signal: AbortSignal): Promise<{ payload: Promise<unknown> }> {
  const response = await app.inject({ url: '/', payloadAsStream: true, signal })
  const stream = response.stream()
  stream.on('error', () => undefined)
  const payload = new Promise((resolve) => stream.once('close', resolve))
  await new Promise((resolve) => stream.once('data', resolve))
  return { payload }
}

interface Talk extends Omit<Served, 'port'> {
  source: Source
  reply: FastifyReply
  client: Client
}

async function talk(kind: string, transport: string, setup: Partial<Setup> = {}): Promise<Talk> {
  const { factory, ask } = TRANSPORTS[transport] ?? { factory: {}, ask: askHttp1 }
  let started: { source: Source; reply: FastifyReply } | undefined
  const served = await prepare({
    ...setup,
    factory,
    declare: async (app) => {
      app.get('/', (_, reply) => {
        const source = KINDS[kind]?.(reply)
        if (source === undefined) throw new Error(`no kind is called ${kind}`)
        source.write('first ')
        started = { source, reply }
      })
      await setup.declare?.(app)
    },
  })
  const client = await ask(served.app)
  if (started === undefined) throw new Error('the handler did not run')
  return { ...served, ...started, client }
}

function moveTime(milliseconds: number): void {
  vi.advanceTimersByTime(milliseconds)
}

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Ways in which a reply ends, and what is recorded of it. */
const WAYS: Record<string, { end(talk: Talk): unknown; entry: Partial<ReplyEnd> | null }> = {
  'ends well at once': { end: ({ source }) => source.end(), entry: null },
  'ends well a second later': {
    end: ({ source }) => {
      moveTime(1000)
      source.end()
    },
    entry: null,
  },
  'ends well after more than a second': {
    end: ({ source }) => {
      moveTime(1001)
      source.end()
    },
    entry: { how: 'closed' },
  },
  'is annotated and ends well': {
    end: ({ source, reply }) => {
      expect(reply.request.audit.annotate({ rows: 3 })).toBe(true)
      source.end()
    },
    entry: { how: 'closed', annotations: { rows: 3 } },
  },
  fails: { end: ({ source }) => source.fail(new Error('no more')), entry: { how: 'failed', error: 'no more' } },
  'is left by its client': { end: ({ client }) => client.leave(), entry: { how: 'aborted' } },
  'is cut off by the closing server': { end: () => undefined, entry: { how: 'aborted', error: 'server closed' } },
}

/** The caller of `inject` leaves by a signal, which destroys the response with an error. */
function entryOver(transport: string, entry: Partial<ReplyEnd>): Partial<ReplyEnd> {
  const isLeft = entry.how === 'aborted' && entry.error === undefined
  return isLeft && transport === 'inject' ? { how: 'failed', error: 'The operation was aborted' } : entry
}

describe.each(Object.keys(TRANSPORTS))('over %s', (transport) => {
  describe.each(Object.keys(KINDS))('%s that', (kind) => {
    expectNothingUncaught()

    for (const [way, { end, entry }] of Object.entries(WAYS)) {
      // The server waits for the connections of a socket.
      if (way.includes('closing') && transport !== 'inject') continue
      it.each(GUARANTEES)(`${way} (%s)`, async (deliveryGuarantee) => {
        fakeTime()
        const talking = await talk(kind, transport, { deliveryGuarantee })
        const { app, sink, client } = talking
        expect(app.audit.stats().running).toBe(1)
        await end(talking)
        if (way.includes('closing')) await app.close()
        else await client.ended
        await until(() => app.audit.stats().running === 0)
        expect(await trailOf(talking)).toEqual(['Received', 'Complete 200'])
        const ends = sink.endPayloads()
        expect(ends).toHaveLength(entry === null ? 0 : 1)
        expect(app.audit.stats().ended).toBe(ends.length)
        if (entry === null) return
        const { bytes_sent: sent, duration_ms: duration, ...rest } = ends[0]?.end ?? {}
        expect(rest).toEqual(entryOver(transport, entry))
        expect(duration).toBeGreaterThanOrEqual(way.includes('more than a second') ? 1001 : 0)
        if (transport === 'HTTP/1.1') expect(sent).toBeGreaterThan('first '.length)
        else expect(sent).toBeUndefined()
        expect([ends[0]?.id]).toEqual([...sink.ids()])
      })
    }
  })
})
