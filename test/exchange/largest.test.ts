import { maxHeaderSize } from 'node:http'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BOUNDS } from '../../src/event/limits.js'
import audit, { memorySink } from '../../src/index.js'
import { ANNOTATION_BOUNDS } from '../support/changes.js'
import { validateLine } from '../support/schema.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask, type WireRequest } from '../support/wire.js'
import { listen } from './runner.js'

const MAX_BODY = 4096
const BODY_LIMIT = 2 ** 20

/** Largest size that Node accepts in a head, minus the few headers of every request. */
const ROOM = maxHeaderSize - 400

const long = (bytes: number, unit = 'x') => unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)))

const LARGEST: Array<[name: string, request: WireRequest, marks: string[]]> = [
  ['a URL', { url: `/${long(ROOM)}` }, ['request.endpoint']],
  ['a URL of escapes', { url: `/?${long(ROOM, '%22')}` }, ['request.endpoint']],
  ['a user agent', { headers: { 'user-agent': long(ROOM) } }, ['request.request_meta.user_agent']],
  ['a request id', { headers: { 'x-request-id': long(ROOM) } }, ['request.id']],
  ['a header that is let in', { headers: { 'x-note': long(ROOM, '"') } }, ['request.headers.x-note']],
  [
    'a list of proxies',
    { headers: { 'x-forwarded-for': long(ROOM, '10.1.2.3, ').slice(0, -2) } },
    ['request.request_meta.source_ips'],
  ],
  ['many headers', { headers: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`x-${n}`, 'v'])) }, []],
  ['an identity', { headers: { 'x-user': long(ROOM, '\\') } }, ['auth.accessor_id']],
  ['a namespace', { headers: { 'x-namespace': long(ROOM) } }, ['request.namespace.id']],
  [
    'a body',
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: 1000 }, (_, n) => long(990, `${n % 10}"`).slice(0, 700))),
    },
    ['request.body'],
  ],
  [
    'a body of one text',
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: long(BODY_LIMIT, 'é') },
    ['request.body'],
  ],
  ['a message', { url: '/error' }, ['response.error']],
  ['annotations', { url: '/annotations' }, [`annotations.0${long(63)}.*`, 'annotations.*']],
]

describe('the largest that Node accepts', () => {
  expectNothingUncaught()

  it.each(LARGEST)('of %s is in the trail, bounded and marked', async (_, request, marks) => {
    const sink = memorySink()
    const app = Fastify({ requestIdHeader: 'x-request-id', trustProxy: true, bodyLimit: BODY_LIMIT })
    onTestFinished(() => app.close())
    await app.register(audit, {
      sinks: [{ name: 'memory', sink }],
      level: 'response',
      capture: { maxBodyBytes: MAX_BODY, requestHeaders: ['x-note'] },
      identity: ({ headers }) =>
        headers['x-user'] === undefined ? undefined : { accessorId: String(headers['x-user']) },
      namespace: ({ headers }) => String(headers['x-namespace'] ?? 'default'),
    })
    app.post('/', async ({ body }) => body)
    app.get('/error', async () => {
      throw new Error(long(10 * BODY_LIMIT, 'é '))
    })
    app.get('/annotations', async ({ audit }) => {
      for (let n = 0; n < 100; n++) audit.annotate({ [`${n}${long(5000)}`]: long(5000), [`n${n}`]: n })
      return {}
    })
    const [reply] = await ask(await listen(app), request)
    expect(reply?.status).toBeGreaterThanOrEqual(200)
    await app.audit.flush()
    expect(sink.events.map(({ payload }) => payload.stage)).toEqual(['OperationReceived', 'OperationComplete'])
    for (const line of sink.lines) {
      validateLine(line)
      expect(Buffer.byteLength(line)).toBeLessThan(LONGEST)
    }
    const { truncated = [], omitted = [] } = sink.events[1]?.payload ?? {}
    for (const mark of marks) expect([...truncated, ...omitted].map(({ path }) => path)).toContain(mark)
  })
})

/** Sum of all bounds, with escaped texts; keys and marks need at most half as much again. */
const LONGEST =
  1.5 *
  (2 * MAX_BODY +
    BOUNDS.endpoint +
    BOUNDS.route +
    BOUNDS.userAgent +
    BOUNDS.requestId +
    BOUNDS.identity * 8 +
    BOUNDS.namespace +
    BOUNDS.address * (BOUNDS.sourceIps + 2) +
    BOUNDS.headerValue +
    BOUNDS.error +
    ANNOTATION_BOUNDS.maxBytes)
