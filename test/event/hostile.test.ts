import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/index.js'
import { type Audited, audited, portOf } from '../support/app.js'
import { cleaned, hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'
import { validateLine } from '../support/schema.js'
import { Wire } from '../support/wire.js'

/** What a request may carry: every byte that Node's parser lets through in the place. */
const targetBytes = fc.oneof(
  fc.stringMatching(/^[!-~]{0,200}$/),
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%ff%fe',
    '%ed%a0%80',
    '?',
    '#',
    '"',
    '\\',
    '"}',
    '/../..//',
    '{{',
    '%0d%0a',
    '|^`<>',
  ),
  fc.integer({ min: 1, max: 5000 }).map((length) => '"'.repeat(length)),
)
const headerBytes = fc.stringMatching(/^[\t -~\x80-\xff]{0,200}$/)

/** Everything that an application hands to the trail for a request. */
interface Spite {
  identity: Identity
  namespace: string
  annotations: Record<string, string>
  error: string
}

const spite: fc.Arbitrary<Spite> = fc.record({
  identity: fc.record({
    accessorId: hostileText,
    name: hostileText,
    policies: fc.array(hostileText, { maxLength: 70 }),
  }),
  namespace: hostileText,
  annotations: fc.dictionary(hostileText, hostileText, { maxKeys: 20 }),
  error: hostileText,
})

async function hostileServer(): Promise<Audited & { current: { spite: Spite } }> {
  const current = { spite: { identity: { accessorId: 'a' }, namespace: 'default', annotations: {}, error: 'x' } }
  const served = await audited({
    factory: { requestIdHeader: 'x-request-id', trustProxy: true, routerOptions: { maxParamLength: 20_000 } },
    options: { identity: () => current.spite.identity, namespace: () => current.spite.namespace },
  })
  served.app.get('/fail/*', async (request) => {
    request.audit.annotate(current.spite.annotations)
    throw new Error(current.spite.error)
  })
  return { ...served, current }
}

/** The two records of the one request since the last look, whatever it held. */
function pairOf({ sink }: Audited) {
  const events = sink.lines.map((line) => validateLine(line)).filter(({ payload }) => payload.type === 'audit')
  sink.clear()
  return events.map(({ payload }) => payload).filter((payload) => payload.type === 'audit')
}

describe('a hostile request', () => {
  it('is in the trail with both its records by inject, whatever the application says of it', async () => {
    const served = await hostileServer()
    await served.app.ready()
    await fc.assert(
      fc.asyncProperty(spite, fc.webPath(), hostileText, async (given, path, query) => {
        served.current.spite = given
        pairOf(served)
        const url = `/fail${path.startsWith('/') ? path : `/${path}`}?${encodeURIComponent(cleaned(query))}`
        await served.app.inject({ url, headers: { 'x-request-id': encodeURIComponent(cleaned(query)) } })
        const pair = pairOf(served)
        expect(pair.map(({ stage }) => stage)).toEqual(['OperationReceived', 'OperationComplete'])
        expect(pair[0]?.id).toBe(pair[1]?.id)
        expect(pair[1]?.response?.status_code).toBe(500)
      }),
      { numRuns: runs(50) },
    )
  })

  it('is in the trail with both its records over a socket, whatever bytes its line and headers hold', async () => {
    const served = await hostileServer()
    const port = await portOf(served.app)
    await fc.assert(
      fc.asyncProperty(
        fc.array(targetBytes, { maxLength: 2 }),
        headerBytes,
        headerBytes,
        headerBytes,
        async (target, agent, id, forwarded) => {
          pairOf(served)
          const wire = await Wire.open(port)
          const headers = `user-agent: ${agent}\r\nx-request-id: ${id}\r\nx-forwarded-for: ${forwarded}\r\n`
          wire.send(
            Buffer.from(
              `GET /fail/${target.join('')} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`,
              'latin1',
            ),
          )
          const bytes = await wire.closed()
          const pair = pairOf(served)
          const isRecorded = bytes.startsWith('HTTP/1.1 500')
          expect(pair.map(({ stage }) => stage)).toEqual(isRecorded ? ['OperationReceived', 'OperationComplete'] : [])
          // What never became a request, or a URL that Fastify refuses before any hook.
          if (!isRecorded) expect(bytes).toMatch(/^HTTP\/1\.1 400/)
        },
      ),
      { numRuns: runs(40) },
    )
  })

  it('cannot forge a line, a field or an id of the trail', async () => {
    const served = await hostileServer()
    const forged = '"},"seq":1,"payload":{"id":"forged"}}\n{"forged":true}'
    served.current.spite = {
      identity: { accessorId: forged, name: forged, policies: [forged] },
      namespace: forged,
      annotations: { [forged]: forged, status_code: '200' },
      error: forged,
    }
    await served.app.inject({
      url: `/fail/${encodeURIComponent(forged)}`,
      headers: { 'x-request-id': forged.replace('\n', ''), 'user-agent': forged.replace('\n', '') },
    })
    const pair = pairOf(served)
    expect(pair).toHaveLength(2)
    for (const payload of pair) {
      expect(payload.id).toMatch(/^[0-9a-f-]{36}$/)
      expect(payload.request.id).toBe(forged.replace('\n', '').slice(0, payload.request.id.length))
    }
    expect(pair[1]?.auth.name).toBe(forged)
    expect(pair[1]?.response?.error).toBe(forged)
  })

  it('is redacted in its URL, and in the error that repeats the URL', async () => {
    const served = await audited()
    await served.app.inject('/nowhere?page=1&password=hunter2&to%6ben=hunter2')
    const [, complete] = pairOf(served)
    expect(JSON.stringify(complete)).not.toContain('hunter2')
    expect(complete?.request.endpoint).toBe('/nowhere?page=1&password=[REDACTED]&to%6ben=[REDACTED]')
    expect(complete?.response?.error).toContain('Route GET:/nowhere?page=1&password=[REDACTED]&')
    expect(complete?.redacted).toBe(4)
  })
})
