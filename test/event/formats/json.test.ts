import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Annotations } from '../../../src/event/content/annotations.js'
import { Draft } from '../../../src/event/draft.js'
import type { AuditEvent } from '../../../src/event/event.js'
import { stampOf, writeCorrection, writeLifecycle, writePayload } from '../../../src/event/formats/json.js'
import { ANONYMOUS, writeAuth } from '../../../src/event/formats/json-auth.js'
import { RequestWriter } from '../../../src/event/formats/json-request.js'
import { type ResponseFacts, writeDuration, writeResponse } from '../../../src/event/formats/json-response.js'
import { writeJson } from '../../../src/event/formats/json-value.js'
import { BOUNDS } from '../../../src/event/limits.js'
import type { RequestFacts } from '../../../src/event/request-facts.js'
import { ANNOTATION_BOUNDS, newChanges } from '../../support/changes.js'
import { cleaned, hostileText } from '../../support/hostile.js'
import { validateLine } from '../../support/schema.js'

const ID = '8b826146-b264-4f15-8526-29cb905145aa'
const TIME = '2026-03-24T17:09:35.704Z'

const FACTS: RequestFacts = {
  id: 'req-1',
  operation: 'GET',
  endpoint: '/v1/jobs',
  route: '/v1/jobs',
  namespace: 'default',
  host: 'example.com',
  userAgent: 'curl/8',
  sourceIps: undefined,
  traceparent: undefined,
  connection: { remote: '127.0.0.1:33874', local: '127.0.0.1:4646', origin: null },
}
const RESPONSE: ResponseFacts = { statusCode: 200, error: undefined, aborted: false, duration: 1.25 }

function lineOf(tail: string): string {
  const draft = new Draft(`{"created_at":"${TIME}","event_type":"audit","instance":"${ID}","seq":`, tail, false)
  const line = draft.json(1)
  expect(draft.size).toBeGreaterThan(Buffer.byteLength(line))
  return line
}

const COMPLETE = { id: ID, stage: 'OperationComplete', stamp: stampOf(TIME) } as const

const ANONYMOUS_AUTH = writeAuth(ANONYMOUS, newChanges())

function complete(facts: Partial<RequestFacts>, response: Partial<ResponseFacts>, auth = ANONYMOUS_AUTH, rest = '') {
  const changes = newChanges()
  const request = new RequestWriter().writeFacts({ ...FACTS, ...facts }, undefined, changes)
  const written = writeResponse({ ...RESPONSE, ...response }, changes)
  return {
    changes,
    line: lineOf(writePayload({ ...COMPLETE, auth, request, rest: `${written}${rest}` }, changes)),
  }
}

function payloadOf(line: string): AuditEvent['payload'] {
  const { payload } = validateLine(line)
  if (payload.type !== 'audit') throw new Error('not a record of a request')
  return payload
}

const facts = fc.record({
  id: hostileText,
  operation: hostileText.filter((text) => text !== ''),
  endpoint: hostileText,
  route: fc.option(hostileText, { nil: undefined }),
  namespace: hostileText,
  host: hostileText,
  userAgent: fc.option(hostileText, { nil: undefined }),
  sourceIps: fc.option(fc.array(hostileText, { maxLength: 40 }), { nil: undefined }),
  traceparent: fc.option(hostileText, { nil: undefined }),
  connection: fc.record({ remote: hostileText, local: hostileText, origin: fc.constant(null) }),
})

describe('a line of format json', () => {
  it('is valid and bounded whatever its parts hold, and says what was cut', () => {
    const auth = fc.record({
      accessor_id: hostileText,
      name: hostileText,
      policies: fc.array(hostileText, { maxLength: 80 }),
      groups: fc.array(hostileText, { maxLength: 3 }),
      create_time: hostileText,
      method: hostileText,
      on_behalf_of: hostileText,
      global: fc.boolean(),
    })
    fc.assert(
      fc.property(facts, auth, hostileText, fc.dictionary(hostileText, hostileText), (given, who, error, notes) => {
        const changes = newChanges()
        const annotations = new Annotations(changes, ANNOTATION_BOUNDS)
        annotations.add(notes)
        const request = new RequestWriter().writeFacts(given, undefined, changes)
        const response = writeResponse({ ...RESPONSE, statusCode: 500, error }, changes)
        const rest = `${response},"annotations":${annotations.toJson()}`
        const line = lineOf(writePayload({ ...COMPLETE, auth: writeAuth(who, changes), request, rest }, changes))
        const payload = payloadOf(line)
        expect(Buffer.byteLength(line)).toBeLessThan(64 * 1024)
        const cut = Object.fromEntries((payload.truncated ?? []).map((change) => [change.path, change]))
        if (!('request.id' in cut)) expect(payload.request.id).toBe(cleaned(given.id))
        if (!('request.namespace.id' in cut)) expect(payload.request.namespace.id).toBe(cleaned(given.namespace))
        if (!('auth.name' in cut)) expect(payload.auth.name).toBe(cleaned(who.name))
        if (!('auth.policies' in cut)) expect(payload.auth.policies).toHaveLength(who.policies.length)
        for (const { bytes, kept } of Object.values(cut)) expect(bytes).toBeGreaterThan(kept)
        const received = {
          id: ID,
          stage: 'OperationReceived',
          stamp: stampOf(TIME),
          auth: ANONYMOUS_AUTH,
          rest: '',
        } as const
        expect(writePayload({ ...received, request }, changes)).toContain(request)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps a correction valid whatever its error holds', () => {
    fc.assert(
      fc.property(hostileText, (error) => {
        const { payload } = validateLine(lineOf(writeCorrection(ID, TIME, 500, error, newChanges())))
        expect(payload.type).toBe('correction')
      }),
    )
  })

  it('keeps an entry about its own life valid whatever names it holds', () => {
    fc.assert(
      fc.property(hostileText, (archive) => {
        const details = { archive, bytes: 1, reason: 'size' } as const
        const { payload } = validateLine(lineOf(writeLifecycle('rotation', ID, TIME, details)))
        expect(payload).toMatchObject({ rotation: { archive: cleaned(archive) } })
      }),
    )
  })

  it('writes any JSON value as it is, but for what no line may hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '\\ufffd'))
        const clean = (_: string, inner: unknown): unknown => (typeof inner === 'string' ? cleaned(inner) : inner)
        expect(JSON.parse(writeJson(JSON.parse(JSON.stringify(value))))).toEqual(
          JSON.parse(JSON.stringify(plain, clean), clean),
        )
      }),
    )
  })

  it('says in bytes what it left out of a list, and marks a text that was cut by its place', () => {
    const changes = newChanges()
    const policies = Array.from({ length: 70 }, () => 'abc')
    writeAuth({ accessor_id: 'a', policies, groups: ['short', 'x'.repeat(300)] }, changes)
    expect(changes.truncated).toEqual({
      'auth.policies': { bytes: 210, kept: 192 },
      'auth.groups.1': { bytes: 300, kept: 256 },
    })
  })

  it('keeps the first 16 source addresses', () => {
    const sourceIps = Array.from({ length: 20 }, (_, index) => `10.0.0.${index}`)
    const payload = payloadOf(complete({ sourceIps }, {}).line)
    expect(payload.request.request_meta.source_ips).toEqual(sourceIps.slice(0, 16))
    expect(payload.truncated).toEqual([{ path: 'request.request_meta.source_ips', bytes: 170, kept: 134 }])
  })

  it('holds a traceparent when it is one', () => {
    const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const id = '4bf92f3577b34da6a3ce929d0e0e4736'
    const cases = [valid, `ff-${id}-00f067aa0ba902b7-01`, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `${valid}\n`]
    cases.push(`00-${id}-${'0'.repeat(16)}-01`, valid.toUpperCase(), `${valid}-more`, '"', `00-${id}-00f067aa0ba902b7`)
    const held = cases.map(
      (traceparent) => payloadOf(complete({ traceparent }, {}).line).request.request_meta.traceparent,
    )
    expect(held).toEqual([valid, ...cases.slice(1).map(() => undefined)])
  })

  it('says how long the error was, though only its start is searched for secrets', () => {
    const { changes, line } = complete({}, { statusCode: 500, error: 'é'.repeat(50_000) })
    expect(changes.truncated).toEqual({ 'response.error': { bytes: 100_000, kept: BOUNDS.error } })
    expect(payloadOf(line).response?.error).toBe('é'.repeat(BOUNDS.error / 2))
  })

  it('redacts before it cuts, so that no cut hides a key from the search', () => {
    const endpoint = `/${'a'.repeat(BOUNDS.endpoint - 10)}?password=hunter2-hunter2-hunter2`
    const { line } = complete({ endpoint }, {})
    expect(line).not.toContain('hun')
    expect(payloadOf(line).redacted).toBe(1)
  })

  it('leaves out the status when none was sent, and says who left', () => {
    const payload = payloadOf(complete({}, { statusCode: undefined, aborted: true }).line)
    expect(payload.response).toEqual({ aborted: true, duration_ms: 1.25 })
  })
})

it('writes a duration as JavaScript prints it, rounded to thousandths of a millisecond', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (duration) => {
      expect(writeDuration(duration)).toBe(String(Math.round(duration * 1000) / 1000))
    }),
  )
  expect([0, 0.0004, 0.0005, 1, 1.2, 1.25, 12.034].map(writeDuration)).toEqual([
    '0',
    '0',
    '0.001',
    '1',
    '1.2',
    '1.25',
    '12.034',
  ])
})
