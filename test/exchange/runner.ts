import Fastify, { type FastifyInstance, type HTTPMethods } from 'fastify'
import { expect } from 'vitest'
import audit, { type AuditOptions } from '../../src/index.js'
import { askHttp2, toPairs } from '../support/http2.js'
import { StagedSink } from '../support/staged-sink.js'
import { ask, type Reply, type WireRequest } from '../support/wire.js'
import { type Case, declared, Probe } from './case.js'
import { type Guarantee, type Outcome, type SinkState, timeoutFor } from './oracle.js'

/** Creates one kind of server, and sends requests to it. */
export interface Transport {
  factory: object
  /** Options of the plugin, except its sink. */
  options?: Omit<AuditOptions, 'sinks'>
  ask(app: FastifyInstance, request: WireRequest): Promise<Reply[]>
}

export const HTTP1: Transport = { factory: {}, ask: async (app, request) => ask(await listen(app), request) }

export const HTTP2: Transport = {
  factory: { http2: true },
  ask: async (app, request) => [await askHttp2(await listen(app), request)],
}

export const INJECT: Transport = {
  factory: {},
  ask: async (app, { method = 'GET', url = '/', headers = {}, body }) => {
    const {
      statusCode,
      headers: got,
      payload,
      trailers,
    } = await app.inject({
      method: method as HTTPMethods,
      url,
      headers,
      ...(body !== undefined && { payload: body }),
    })
    return [{ status: statusCode, headers: toPairs(got), body: payload, trailers: toPairs(trailers), isWhole: true }]
  },
}

/** Makes a server listen, and returns its port. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

export interface Seen {
  replies: Reply[]
  probe: Probe
}

/** Returns the reply of the same server without the plugin. */
export async function withoutPlugin(test: Case, transport: Transport): Promise<Seen> {
  const probe = new Probe()
  const app = Fastify({ ...test.factory, ...transport.factory })
  await declared(test.before, app, probe)
  await declared(test.declare, app, probe)
  const replies = await transport.ask(app, test.request ?? {})
  await app.close()
  return { replies, probe }
}

/** Checks one cell: a case in a state of the sink, under a guarantee, against its expected outcome. */
export async function checkCell(
  test: Case,
  state: SinkState,
  deliveryGuarantee: Guarantee,
  outcome: Outcome,
  bare: Seen,
  transport: Transport,
): Promise<void> {
  const sink = new StagedSink()
  sink.received = state.received
  sink.complete = state.complete
  const probe = new Probe()
  const app = Fastify({ ...test.factory, ...transport.factory })
  await declared(test.before, app, probe)
  const sinks = [{ name: 'staged', sink, deliveryGuarantee, timeout: timeoutFor(state, outcome) }]
  await app.register(audit, { ...transport.options, sinks })
  await declared(test.declare, app, probe)
  const replies = await transport.ask(app, test.request ?? {})
  if (state.received === 'hangs' || state.complete === 'hangs') sink.recover()
  await app.audit.flush()

  const final = replies.at(-1)
  if (outcome.reply === 'own') {
    expect(replies.map(comparable)).toEqual(bare.replies.map(comparable))
    expect(final?.status).toBe(test.status)
    if (final !== undefined && test.sees !== undefined) expect(test.sees(final)).toBe(true)
    expect(probe.runs).toBe(bare.probe.runs)
  } else {
    expectReplaced(final, outcome.reply, [...sink.ids()], test.request?.method === 'HEAD')
  }
  expect(probe.runs > 0).toBe(outcome.runs)
  expect(sink.trail()).toEqual(outcome.trail)
  expect(sink.ids().size).toBe(outcome.trail.length === 0 ? 0 : 1)
  expect(app.audit.stats().open).toBe(0)
  await app.close()
}

/** Returns a reply without the parts that differ from one second to the next. */
function comparable({ headers, ...reply }: Reply): object {
  return { ...reply, headers: headers.filter(([name]) => name !== 'date') }
}

const REPLACEMENTS = {
  refused: { status: 503, code: 'FST_AUDIT_NOT_RECORDED' },
  withheld: { status: 500, code: 'FST_AUDIT_RESPONSE_WITHHELD' },
}

const ALLOWED_HEADERS = [
  'content-type',
  'content-length',
  'keep-alive',
  'cache-control',
  'retry-after',
  'connection',
  'date',
  'vary',
]

/** Expects nothing of the unrecorded reply in its replacement. */
export function expectReplaced(
  reply: Reply | undefined,
  kind: 'refused' | 'withheld',
  ids: readonly string[],
  isHead = false,
): void {
  const { status, code } = REPLACEMENTS[kind]
  expect(reply).toMatchObject({ status, trailers: [], isWhole: true })
  if (reply === undefined) return
  const headers = Object.fromEntries(reply.headers)
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
  expect(headers['retry-after']).toBe(kind === 'refused' ? '1' : undefined)
  const others = Object.keys(headers).filter((name) => !ALLOWED_HEADERS.includes(name))
  expect(others.filter((name) => !name.startsWith('access-control-') && name !== 'strict-transport-security')).toEqual(
    [],
  )
  if (isHead) {
    expect(reply.body).toBe('')
    return
  }
  const body: { auditId?: string; statusCode?: number; code?: string } = JSON.parse(reply.body)
  expect(body).toMatchObject({ statusCode: status, code, auditId: expect.any(String) })
  for (const id of ids) expect(body.auditId).toBe(id)
}
