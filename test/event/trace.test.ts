import { Agent, get } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { AuditOptions } from '../../src/index.js'
import { type Audited, audited, portOf } from '../support/app.js'

const INBOUND = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** A different trace context each time. */
function traceOf(number: number): string {
  return `00-0af7651916cd43dd8448eb211c80319c-${String(number).padStart(16, '0')}-00`
}

/** What the option returns, as JavaScript callers may. */
async function withTrace(trace: (request: unknown) => unknown, more: AuditOptions = {}): Promise<Audited> {
  const served = await audited({ options: { ...more, trace: trace as NonNullable<AuditOptions['trace']> } })
  served.app.get('/', async () => 'hello')
  return served
}

function metasOf({ sink }: Audited) {
  return sink.events.map(({ payload }) => payload.request.request_meta)
}

describe('trace', () => {
  it('is asked once for a request, and is in both records beside the inbound traceparent', async () => {
    let asked = 0
    const served = await withTrace(() => traceOf(++asked))
    await served.app.inject({ url: '/', headers: { traceparent: INBOUND } })
    const expected = { traceparent: INBOUND, trace: traceOf(1) }
    expect(metasOf(served)).toMatchObject([expected, expected])
    expect(asked).toBe(1)
  })

  it('is that of each request of a connection, and of no other one', async () => {
    const traces = [undefined, traceOf(1), undefined, traceOf(2), traceOf(3), undefined]
    const left = [...traces]
    const served = await withTrace(() => left.shift())
    const port = await portOf(served.app)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (const _ of traces) {
      await new Promise<void>((resolve, reject) => {
        get({ port, host: '127.0.0.1', agent }, (reply) => reply.resume().on('end', resolve)).on('error', reject)
      })
    }
    agent.destroy()
    expect(new Set(metasOf(served).map(({ remote_address }) => remote_address)).size).toBe(1)
    expect(metasOf(served).map(({ trace }) => trace)).toEqual(traces.flatMap((trace) => [trace, trace]))
    expect(metasOf(served).every((meta) => meta.trace !== undefined || !('trace' in meta))).toBe(true)
  })

  it('can be left out', async () => {
    const served = await withTrace(() => traceOf(1), { redact: { omit: ['request.request_meta.trace'] } })
    await served.app.inject({ url: '/', headers: { traceparent: INBOUND } })
    for (const meta of metasOf(served)) {
      expect(meta.traceparent).toBe(INBOUND)
      expect(meta).not.toHaveProperty('trace')
    }
  })

  it.each<[string, () => unknown]>([
    ['throws', () => JSON.parse('{')],
    [
      'throws undefined',
      () => {
        throw undefined
      },
    ],
    ['returns a promise', () => Promise.resolve(traceOf(1))],
    ['returns a promise that is rejected', () => Promise.reject(new Error('no span'))],
    ['returns a number', () => 7],
    ['returns the empty text', () => ''],
    ['returns upper case', () => INBOUND.toUpperCase()],
    ['returns the id of a trace alone', () => '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['returns ids of zeros', () => `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`],
    ['returns more than a traceparent', () => `${INBOUND}","x":"`],
    ['returns an object with a text', () => ({ toString: () => INBOUND })],
  ])('that %s is left out, counted and logged once, and fails no request', async (_, trace) => {
    const served = await withTrace(trace)
    for (const headers of [{}, { traceparent: INBOUND }]) {
      const reply = await served.app.inject({ url: '/', headers })
      expect([reply.statusCode, reply.body]).toEqual([200, 'hello'])
    }
    for (const meta of metasOf(served)) expect(meta).not.toHaveProperty('trace')
    expect(metasOf(served).map(({ traceparent }) => traceparent)).toEqual([undefined, undefined, INBOUND, INBOUND])
    expect(served.app.audit.stats().traceErrors).toBe(2)
    expect(served.logged.filter(({ msg }) => String(msg).includes('`trace`'))).toHaveLength(1)
  })

  it.each([undefined, null])('that is %s is no error', async (nothing) => {
    const served = await withTrace(() => nothing)
    await served.app.inject('/')
    expect(metasOf(served)[0]).not.toHaveProperty('trace')
    expect(served.app.audit.stats().traceErrors).toBe(0)
  })

  it('must be a function that is not async', async () => {
    for (const [trace, message] of [
      ['00-…', 'trace: "00-…" is not a function'],
      [async () => undefined, 'is async, and its promise is not awaited'],
    ] as const) {
      const options = { trace } as unknown as AuditOptions
      await expect(async () => (await audited({ options })).app).rejects.toThrow(message)
    }
  })
})
