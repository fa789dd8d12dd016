import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionPayload } from '../../../src/event/action.js'
import type { AuditEvent, EventPayload, EventRequest, JsonValue, LifecycleEvent } from '../../../src/event/event.js'
import { rancherLine } from '../../../src/event/formats/rancher.js'
import { cleaned, hostileText } from '../../support/hostile.js'

const ID = '8b826146-b264-4f15-8526-29cb905145aa'
const CREATED = '2018-07-20T02:22:43.999Z'
const TIME = '2018-07-20 02:22:43 +0000'

const META: EventRequest['request_meta'] = { remote_address: '10.1.2.3:33874', user_agent: 'curl/8' }
const REQUEST: EventRequest = {
  id: 'req-1',
  operation: 'PUT',
  endpoint: '/v3/schemas?limit=1',
  route: '/v3/schemas',
  namespace: { id: 'default' },
  request_meta: META,
  node_meta: { ip: '127.0.0.1:4646' },
}

function eventOf(payload: Partial<EventPayload>): AuditEvent {
  return {
    created_at: CREATED,
    event_type: 'audit',
    instance: ID,
    seq: 7,
    payload: {
      id: ID,
      stage: 'OperationReceived',
      type: 'audit',
      timestamp: '2018-07-20T02:22:42.000Z',
      version: 1,
      auth: { accessor_id: 'u-1', name: 'user-f4tt2', groups: ['system:authenticated'], policies: ['reader'] },
      request: REQUEST,
      ...payload,
    },
  }
}

function received(request: Partial<EventRequest> = {}, payload: Partial<EventPayload> = {}): Record<string, unknown> {
  return JSON.parse(rancherLine(eventOf({ request: { ...REQUEST, ...request }, ...payload })))
}

function complete(response?: EventPayload['response']): string {
  return rancherLine(eventOf({ stage: 'OperationComplete', ...(response !== undefined && { response }) }))
}

function sourceIPs(meta: EventRequest['request_meta']): unknown {
  return received({ request_meta: meta }).sourceIPs
}

function user(auth: EventPayload['auth']): unknown {
  return received({}, { auth }).user
}

describe('a request that is received', () => {
  it("has Rancher's keys alone, in its order", () => {
    expect(rancherLine(eventOf({}))).toBe(
      `{"auditID":"${ID}","requestURI":"/v3/schemas?limit=1","sourceIPs":["10.1.2.3"],` +
        '"user":{"name":"user-f4tt2","group":["system:authenticated"]},"verb":"PUT","stage":"RequestReceived",' +
        `"stageTimestamp":"${TIME}"}`,
    )
  })

  it('has its body last, whatever JSON value it is, and none that was not recorded', () => {
    for (const body of [null, false, 0, '', [], {}, [1, { a: null }]] satisfies JsonValue[]) {
      expect(rancherLine(eventOf({ request: { ...REQUEST, body } }))).toMatch(/"stageTimestamp":"[^"]*","requestBody":/)
      expect(received({ body }).requestBody).toEqual(body)
    }
    expect(received()).not.toHaveProperty('requestBody')
    expect(
      received({ headers: { accept: 'x' } }, { redacted: 1, omitted: [{ path: 'request.body', reason: 'stream' }] }),
    ).toEqual(received())
  })
})

describe('a request that is complete', () => {
  it("has Rancher's keys alone, in its order, and its status as a string", () => {
    expect(complete({ status_code: 200, error: 'e', duration_ms: 1, headers: { etag: '1' }, body: { a: 1 } })).toBe(
      `{"auditID":"${ID}","responseStatus":"200","stage":"ResponseComplete","stageTimestamp":"${TIME}",` +
        '"responseBody":{"a":1}}',
    )
    expect(complete({ status_code: 204 })).toBe(
      `{"auditID":"${ID}","responseStatus":"204","stage":"ResponseComplete","stageTimestamp":"${TIME}"}`,
    )
    expect(JSON.parse(complete({ status_code: 200, body: null }))).toHaveProperty('responseBody', null)
  })

  it('has the status 0 when the client left before there was one', () => {
    expect(JSON.parse(complete({ aborted: true })).responseStatus).toBe('0')
    expect(JSON.parse(complete()).responseStatus).toBe('0')
  })
})

describe('the user', () => {
  it('is called by name, or by id without one', () => {
    expect(user({ accessor_id: 'u-1', name: 'Bob', groups: ['a', 'b'] })).toEqual({ name: 'Bob', group: ['a', 'b'] })
    expect(user({ accessor_id: 'u-1' })).toEqual({ name: 'u-1', group: [] })
  })

  it("is Rancher's unauthenticated one for nobody, also without the parts that privacy leaves out", () => {
    const nobody = { name: 'system:unauthenticated', group: ['system:unauthenticated'] }
    const anonymous = { accessor_id: 'anonymous', policies: ['anonymous'], create_time: '0001-01-01T00:00:00Z' }
    expect(user({ ...anonymous, name: 'Anonymous Token' })).toEqual(nobody)
    expect(user(anonymous)).toEqual(nobody)
    expect(user({ accessor_id: 'anonymous' })).toEqual(nobody)
  })

  it('is not hidden by an id or a name like that of nobody', () => {
    expect(user({ accessor_id: 'anonymous', name: 'Eve' })).toEqual({ name: 'Eve', group: [] })
    expect(user({ accessor_id: 'u-6', name: 'Anonymous Token' })).toEqual({ name: 'Anonymous Token', group: [] })
  })
})

describe('the addresses', () => {
  it.each([
    ['127.0.0.1:33874', ['127.0.0.1']],
    ['[::1]:33874', ['::1']],
    ['[2001:db8::1]', ['2001:db8::1']],
    ['[fe80::1%eth0]:80', ['fe80::1%eth0']],
    ['[::ffff:127.0.0.1]:33874', ['::ffff:127.0.0.1']],
    ['10.0.0.1', ['10.0.0.1']],
    ['2001:db8::443', ['2001:db8::443']],
    ['local', []],
    ['', []],
  ])('of %j are %j: no port, no brackets', (remote_address, expected) => {
    expect(sourceIPs({ remote_address })).toEqual(expected)
  })

  it('go from the client to the nearest proxy, where Fastify names the nearest first', () => {
    expect(sourceIPs({ ...META, source_ips: ['10.1.2.3', '192.0.2.2', '2001:db8::7'] })).toEqual([
      '2001:db8::7',
      '192.0.2.2',
      '10.1.2.3',
    ])
  })

  it('hold nothing that is no address, whatever a client forwards', () => {
    const source_ips = ['10.1.2.3', '192.0.2.2:8080', '[2001:db8::7]:1', 'unknown', '_hidden', '1.2.3.4.5', ' 1.2.3.4']
    expect(sourceIPs({ ...META, source_ips })).toEqual(['2001:db8::7', '192.0.2.2', '10.1.2.3'])
  })

  it('are none when they are left out for privacy', () => {
    expect(sourceIPs({})).toEqual([])
  })
})

describe("an entry of the trail's own life", () => {
  it('has its type as its stage, and what it says under that name', () => {
    const gap: LifecycleEvent = {
      created_at: CREATED,
      event_type: 'audit',
      instance: ID,
      seq: 9,
      payload: {
        id: ID,
        type: 'gap',
        timestamp: CREATED,
        version: 1,
        gap: { lost: 3, in_doubt: 0, from: 5, to: 8 },
      },
    }
    expect(rancherLine(gap)).toBe(
      `{"auditID":"${ID}","stage":"gap","stageTimestamp":"${TIME}","gap":{"lost":3,"in_doubt":0,"from":5,"to":8}}`,
    )
  })
})

describe('a line', () => {
  const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
      hostileText,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(hostileText, tie('value'), { maxKeys: 4 }),
    ),
  })).value

  it('is one line of valid JSON that nothing acts on, whatever is in it', () => {
    fc.assert(
      fc.property(hostileText, hostileText, json, (text, other, body) => {
        const lines = [
          rancherLine(
            eventOf({
              auth: { accessor_id: text, name: other, groups: [text] },
              request: { ...REQUEST, operation: other, endpoint: text, request_meta: { source_ips: [text] }, body },
            }),
          ),
          complete({ status_code: 500, error: text, body }),
        ]
        for (const line of lines) {
          expect(line).not.toMatch(/[\p{Cc}\p{Surrogate}\u2028\u2029]/u)
          JSON.parse(line, (key, value: unknown) => {
            expect(key + (typeof value === 'string' ? value : '')).not.toMatch(/\0|\p{Surrogate}/u)
            return value
          })
        }
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ requestURI: cleaned(text), verb: cleaned(other) })
      }),
    )
  })

  it('holds a body as it came, down to its keys', () => {
    const body: JsonValue = JSON.parse('{"__proto__":{"a":1},"constructor":null,"b":[1,"\\u2028"],"a":"\\u007f"}')
    const line = complete({ status_code: 200, body })
    expect(line).toContain('{"__proto__":{"a":1},"constructor":null,"b":[1,"\\u2028"],"a":"\\u007f"}')
    expect(JSON.parse(line).responseBody).toEqual(body)
  })
})

describe('an action', () => {
  const payload: ActionPayload = {
    id: ID,
    type: 'action',
    timestamp: '2018-07-20T02:22:42.000Z',
    version: 1,
    auth: { accessor_id: 'job' },
    namespace: { id: 'team' },
    action: 'invoice.refund',
    outcome: 'success',
  }
  const lineOf = (more: Partial<ActionPayload>): string =>
    rancherLine({ created_at: CREATED, event_type: 'audit', instance: ID, seq: 7, payload: { ...payload, ...more } })

  it.each([
    ['action', {}],
    ['ActionReceived', { stage: 'OperationReceived' }],
    ['ActionComplete', { stage: 'OperationComplete', error: 'full', duration_ms: 1 }],
  ] as const)('has the stage %s, and its members as in format json', (stage, more) => {
    const { stage: _, ...rest }: Partial<ActionPayload> = more
    expect(JSON.parse(lineOf(more))).toEqual({
      auditID: ID,
      stage,
      stageTimestamp: TIME,
      timestamp: payload.timestamp,
      auth: payload.auth,
      namespace: payload.namespace,
      action: 'invoice.refund',
      outcome: 'success',
      ...rest,
    })
  })
})

describe("Rancher's own samples", () => {
  function sample(name: string): Record<string, unknown> {
    return JSON.parse(readFileSync(new URL(`../../golden/rancher-${name}.json`, import.meta.url), 'utf8'))
  }

  it.each(['level1', 'level2-request', 'level3-request', 'level3-response'])('have the keys of %s', (name) => {
    const wanted = sample(name)
    const line = name.endsWith('response')
      ? complete({ status_code: 200, body: {} })
      : rancherLine(eventOf({ request: { ...REQUEST, ...(name !== 'level1' && { body: {} }) } }))
    expect(Object.keys(JSON.parse(line))).toEqual(Object.keys(wanted))
  })
})
