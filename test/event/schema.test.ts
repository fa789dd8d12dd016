import { describe, expect, it } from 'vitest'
import type { LifecycleDetails, LifecycleType } from '../../src/event/event.js'
import { MAX_ANNOTATIONS, MAX_CHANGES } from '../../src/options/content-problems.js'
import { isPublishedEvent, validateLine } from '../support/schema.js'

const id = '8b826146-b264-4f15-8526-29cb905145aa'
const time = '2026-03-24T17:09:35.703Z'

function line(payload: object, envelope: object = {}): string {
  return JSON.stringify({ created_at: time, event_type: 'audit', instance: id, seq: 42, payload, ...envelope })
}

function audit(stage: string, more: object = {}): object {
  return {
    id,
    stage,
    type: 'audit',
    timestamp: time,
    version: 1,
    auth: { accessor_id: 'anonymous', create_time: '0001-01-01T00:00:00Z' },
    request: {
      id: 'req-1',
      operation: 'GET',
      endpoint: '/v1/jobs?prefix=web',
      route: '/v1/jobs',
      namespace: { id: 'default' },
      request_meta: { remote_address: '127.0.0.1:33874', user_agent: 'curl/8' },
      node_meta: { ip: '127.0.0.1:4646' },
    },
    ...more,
  }
}

const received = audit('OperationReceived')
const complete = audit('OperationComplete', { response: { status_code: 403, error: 'Permission denied' } })

const done = {
  action: 'invoice.refund',
  targets: [
    { type: 'invoice', id: '42', name: 'Invoice 42' },
    { type: 'customer', id: '7' },
  ],
  outcome: 'failure',
  reason: 'closed',
  changes: [
    { path: '/state', before: 'paid', after: { refunded: true } },
    { path: '/items/0', id: '1', after: null },
  ],
}

const action = {
  id,
  type: 'action',
  timestamp: time,
  version: 1,
  auth: { accessor_id: 'job' },
  namespace: { id: 'default' },
  ...done,
  at: time,
  parent: id,
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  annotations: { a: 1 },
  truncated: [{ path: 'reason', bytes: 2000, kept: 1024 }],
  omitted: [{ path: 'changes', reason: 'too many' }],
  redacted: 1,
}

const work = { ...action, stage: 'OperationComplete', error: 'failed', aborted: true, duration_ms: 1.5 }

const lifecycle: LifecycleDetails = {
  start: {
    version: '0.1.0',
    instance: id,
    hostname: 'api-1',
    pid: 7,
    node: 'v20.19.0',
    filters: [],
    rules: [],
    exempted_routes: ['/health'],
    options_digest: 'sha256:00',
  },
  stop: { stored: 3, lost: 0, in_doubt: 0, open: 0 },
  rotation: { archive: 'audit-2026-03-24T17-09-35.704Z.log', bytes: 10, reason: 'size' },
  retention: { deleted: 'audit-2026-03-24T17-09-35.704Z.log', bytes: 10, reason: 'age' },
  gap: { lost: 2, in_doubt: 1, from: 40, to: 42 },
  correction: { status_code: 500, error: 'FST_AUDIT_RESPONSE_WITHHELD' },
  end: {
    how: 'closed',
    duration_ms: 61_000.2,
    close_code: 1000,
    bytes_received: 1,
    bytes_sent: 2,
    annotations: { a: 1 },
  },
  torn: { bytes: 10, set_aside: 'audit.log.torn-2026-03-24T17-09-35.704Z' },
  seal: {
    sink: 'audit',
    chain: 'resumed',
    algorithm: 'hmac-sha256',
    key_id: '1',
    unsealed: 'c'.repeat(64),
    dropped: [{ prev: 'b'.repeat(64), hash: 'a'.repeat(64) }],
  },
  checkpoint: {
    sink: 'audit',
    instance: id,
    seq: 42,
    hash: 'a'.repeat(64),
    time,
    algorithm: 'ed25519',
    key_id: 'b'.repeat(64),
    signature: 'c2lnbmF0dXJl',
  },
}

function life(type: LifecycleType, more: object = {}): object {
  return { id, type, timestamp: time, version: 1, [type]: lifecycle[type], ...more }
}

function lifecycleTypes(): LifecycleType[] {
  return Object.keys(lifecycle).filter((key): key is LifecycleType => Object.hasOwn(lifecycle, key))
}

/** Every object with members of its own, but not what the application gives. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn)
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([key, member]) =>
    ['annotations', 'before', 'after', 'filters', 'rules'].includes(key) ? [] : objectsIn(member),
  )
  return [Object(value), ...inner]
}

describe('the published schema of an event', () => {
  it('accepts both stages', () => {
    expect(validateLine(line(received)).payload).toEqual(received)
    expect(validateLine(line(complete)).payload).toEqual(complete)
  })

  it('accepts an action: of a request, an event, and both stages of work', () => {
    const { outcome: _, changes: __, ...begun } = done
    for (const payload of [
      audit('OperationReceived', begun),
      audit('OperationComplete', { response: { status_code: 200 }, ...done }),
      action,
      { id, type: 'action', timestamp: time, version: 1, auth: action.auth, namespace: { id: 'a' }, action: 'a' },
      { ...action, stage: 'OperationReceived' },
      work,
    ])
      expect(validateLine(line(payload)).payload).toEqual(payload)
  })

  it.each(lifecycleTypes())('accepts a %s entry', (type) => {
    expect(validateLine(line(life(type))).payload.type).toBe(type)
  })

  it.each<[string, object]>([
    ['a request', complete],
    ['an action', work],
    ...lifecycleTypes().map((type): [string, object] => [`a ${type} entry`, life(type)]),
  ])('allows what later versions add to %s, at any place', (_, payload) => {
    const event = JSON.parse(line(payload))
    const places = objectsIn(event)
    expect(places.length).toBeGreaterThan(1)
    for (const place of places) {
      place.later = { added: true }
      expect(isPublishedEvent(event), JSON.stringify(event)).toBe(true)
      expect(() => validateLine(JSON.stringify(event))).toThrow('additional')
      delete place.later
    }
  })

  it('allows as many annotations and changes as options may', () => {
    const annotations = Object.fromEntries(Array.from({ length: MAX_ANNOTATIONS }, (_, index) => [`a${index}`, index]))
    const changes = Array.from({ length: MAX_CHANGES }, (_, index) => ({ path: `/${index}`, after: index }))
    const most = { annotations, changes }
    for (const payload of [
      { ...complete, ...most },
      { ...action, ...most },
    ])
      validateLine(line(payload))
    validateLine(line(life('end', { end: { ...lifecycle.end, annotations } })))
  })

  it('allows types that later versions add, and none of this version in another form', () => {
    const later = { id, type: 'later', timestamp: time, version: 1, later: { a: 1 } }
    expect(isPublishedEvent(JSON.parse(line(later)))).toBe(true)
    expect(() => validateLine(line(later))).toThrow('/payload/type')
    expect(isPublishedEvent(JSON.parse(line({ ...later, type: 'audit' })))).toBe(false)
    expect(isPublishedEvent(JSON.parse(line({ ...later, version: 2 })))).toBe(false)
  })

  it.each([
    ['an unknown key in the envelope', line(received, { extra: 1 }), '/ must NOT have additional properties'],
    ['an unknown key in a payload', line(audit('OperationReceived', { extra: 1 })), '/payload must NOT have'],
    ['an unknown key of a life entry', line(life('gap', { extra: 1 })), '/payload must NOT have'],
    ['an unknown stage', line(audit('Received')), '/payload/stage'],
    ['an unknown type', line({ ...received, type: 'other' }), '/payload/type'],
    ['a Received with a response', line(audit('OperationReceived', { response: {} })), '/payload/response'],
    ['a Received with annotations', line(audit('OperationReceived', { annotations: {} })), '/payload/annotations'],
    ['a Complete without a response', line(audit('OperationComplete')), "must have required property 'response'"],
    ['a time that is not UTC', line(received, { created_at: '2026-03-24T13:09:35.703-04:00' }), '/created_at'],
    ['a time without milliseconds', line(received, { created_at: '2026-03-24T17:09:35Z' }), '/created_at'],
    ['a day that does not exist', line(received, { created_at: '2026-02-30T17:09:35.703Z' }), '/created_at'],
    ['an instance that is no uuid', line(received, { instance: 'one' }), '/instance'],
    ['a negative seq', line(received, { seq: -1 }), '/seq'],
    ['a line ending', `${line(received)}\n`, 'line ending'],
    ['a lone surrogate', line(received, { instance: '\ud800' }), 'lone surrogate at /instance'],
    ['U+0000 in a key', line(audit('OperationReceived', { annotations: { 'a\0': 'b' } })), 'U+0000'],
  ])('refuses %s and says where', (_what, text, message) => {
    expect(() => validateLine(text)).toThrow(message)
  })
})
