import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/event/action.js'
import { memorySink } from '../../../src/sinks/memory.js'
import { type Comparison, compareAudited } from '../../../src/sinks/testing/audited.js'
import type { ExpectedAudit } from '../../../src/sinks/testing/expectation.js'
import { Trail } from './trail.js'

const refund = {
  action: 'invoice.refund',
  targets: [
    { type: 'invoice', id: '42', name: 'May' },
    { type: 'urn:customer', id: 'a:7' },
  ],
  outcome: 'denied',
  reason: 'not your invoice',
  changes: [{ path: '/status', before: 'paid', after: { state: 'refunded', by: ['ada'] } }],
  annotations: { amount: 12, order: { id: 'o-1', lines: [1, 2] } },
} as const

function refundTrail(): Trail {
  const known = { ...refund, targets: [...refund.targets], changes: [...refund.changes] }
  return new Trail().received('a').complete('a', 403, known)
}

function compare(trail: Trail, expected: unknown): Comparison {
  return compareAudited(trail.entries, expected)
}

describe('what a test expects of a trail', () => {
  it.each<ExpectedAudit>([
    {},
    { action: 'invoice.refund' },
    { action: /^invoice\./ },
    { actor: 'u-7' },
    { actor: 'Ada' },
    { actor: /^A/ },
    { targets: ['invoice:42'] },
    { targets: ['urn:customer:a:7', 'invoice:42'] },
    { targets: [{ type: 'invoice' }] },
    { targets: [{ type: 'invoice', id: 42 }, { id: /^a/ }] },
    { targets: [{ name: 'May' }] },
    { outcome: 'denied' },
    { reason: /invoice/g },
    { changes: [{ path: '/status' }] },
    { changes: [{ before: 'paid', after: { state: 'refunded' } }] },
    { status: 403 },
    { status: '4xx' },
    { operation: 'POST', endpoint: '/invoices/a/refund?fast=1', route: '/invoices/:id/refund' },
    { endpoint: /^\/invoices/ },
    { namespace: 'default' },
    { annotations: { amount: 12 } },
    { annotations: { order: { lines: [1, 2] } } },
    { annotations: { amount: expect.any(Number), order: expect.objectContaining({ id: 'o-1' }) } },
    { action: 'invoice.refund', actor: 'Ada', targets: ['invoice:42'], status: 403, outcome: 'denied' },
  ])('is found: %j', (expected) => {
    expect(compare(refundTrail(), expected).pass).toBe(true)
  })

  it.each<ExpectedAudit>([
    { action: 'invoice' },
    { action: /^refund/ },
    { actor: 'Bob' },
    { targets: ['invoice:4'] },
    { targets: ['invoice:42', 'invoice:43'] },
    { targets: [{ type: 'invoice', id: 'a:7' }] },
    { outcome: 'failure' },
    { reason: 'not your' },
    { changes: [{ path: '/status', before: null }] },
    { status: 40 + 360 },
    { status: '2xx' },
    { error: /./ },
    { operation: 'GET' },
    { endpoint: '/invoices/a/refund' },
    { route: '/invoices/a/refund' },
    { namespace: 'team' },
    { annotations: { amount: '12' } },
    { annotations: { order: { lines: [1] } } },
    { annotations: { order: { lines: [1, 2, 3] } } },
    { annotations: { toString: {} } },
    { annotations: { missing: expect.not.stringContaining('x') } },
    { annotations: { amount: expect.any(String) } },
    { action: 'invoice.refund', actor: 'Ada', targets: ['invoice:42'], status: 200 },
  ])('is missed: %j', (expected) => {
    expect(compare(refundTrail(), expected).pass).toBe(false)
  })

  it.each([
    [{ acton: 'a' }, /no key 'acton'; the keys are action, actor, targets/],
    [{ constructor: 'a' }, /no key 'constructor'/],
    [{ statusCode: 200 }, /no key 'statusCode'; .* status,/],
    [{ action: undefined }, /`action` is undefined; leave it out/],
    [{ action: 7 }, /`action` is 7; give a text/],
    [{ actor: null }, /`actor` is null; give a text/],
    [{ targets: 'invoice:42' }, /`targets` is 'invoice:42'; give a list/],
    [{ targets: [] }, /`targets` is \[\]; give a list/],
    [{ targets: ['invoice'] }, /`targets` is \[ 'invoice' \]; give a list/],
    [{ targets: [{}] }, /`targets` is \[ \{\} \]; give a list/],
    [{ outcome: 'sucess' }, /`outcome` is 'sucess'; give 'success', 'failure' or 'denied'/],
    [{ changes: {} }, /`changes` is \{\}; give a list/],
    [{ changes: [] }, /`changes` is \[\]; give a list/],
    [{ status: '40x' }, /`status` is '40x'; give a status, such as 403/],
    [{ status: '403' }, /`status` is '403'/],
    [{ status: 0 }, /`status` is 0/],
    [{ operation: 'post' }, /`operation` is 'post'; give an HTTP method in capitals/],
    [{ annotations: {} }, /`annotations` is \{\}; give an object/],
    ['invoice.refund', /'invoice.refund' is not an object; the keys are/],
    [null, /null is not an object/],
    [[], /\[\] is not an object/],
  ])('is refused if it can never, or must always, be found: %j', (expected, message) => {
    const refused = () => compare(new Trail(), expected)
    expect(refused).toThrow(message)
    expect(refused).toThrow(expect.objectContaining({ code: 'FST_AUDIT_INVALID_EXPECTATION' }))
  })

  it.each([[undefined], [null], ['line'], [{}], [{ entries: ['line'] }], [memorySink().lines.concat('x')]])(
    'is of a memory sink or its entries, not of %j',
    (sink) => {
      expect(() => compareAudited(sink, {})).toThrow(/give a memorySink\(\) or its `entries`, not /)
    },
  )

  it('is found in a memory sink, and in its entries', async () => {
    const sink = memorySink()
    await sink.write(refundTrail().entries)
    expect(compareAudited(sink, { status: 403 }).pass).toBe(true)
    expect(compareAudited(sink.entries, { status: 403 }).pass).toBe(true)
  })

  it('is found in all records of one request together', () => {
    const trail = new Trail()
      .received('open')
      .received('withheld')
      .complete('withheld', 200)
      .correction('withheld', { status_code: 500, error: 'FST_AUDIT_RESPONSE_WITHHELD' })
      .complete('stream', 201, { annotations: { early: 1 } })
      .end('stream', { how: 'failed', error: 'EPIPE', duration_ms: 2, annotations: { late: 2 } })
    expect(compare(trail, { endpoint: /open/ }).pass).toBe(true)
    expect(compare(trail, { endpoint: /open/, status: '2xx' }).pass).toBe(false)
    expect(compare(trail, { endpoint: /withheld/, status: 500, error: /WITHHELD/ }).pass).toBe(true)
    expect(compare(trail, { endpoint: /withheld/, status: 200 }).pass).toBe(false)
    expect(compare(trail, { status: 201, error: 'EPIPE', annotations: { early: 1, late: 2 } }).pass).toBe(true)
  })

  it('is found in an event, and in both records of work together', () => {
    const trail = new Trail()
      .action('event', { namespace: { id: 'team' }, targets: [{ type: 'report', id: '7' }] })
      .action('work', { action: 'job.run', stage: 'OperationReceived' })
      .action('work', { action: 'job.run', stage: 'OperationComplete', outcome: 'failure', error: 'no paper' })
      .action('lost', { action: 'job.lose', stage: 'OperationComplete', outcome: 'success' })
      .correction('lost', { error: 'FST_AUDIT_RESPONSE_WITHHELD' })
    expect(compare(trail, { action: 'report.export', namespace: 'team', targets: ['report:7'] }).pass).toBe(true)
    expect(compare(trail, { action: 'job.run', outcome: 'failure', error: 'no paper' }).pass).toBe(true)
    expect(compare(trail, { action: 'job.lose', error: /WITHHELD/ }).pass).toBe(true)
    expect(compare(trail, { action: 'job.run', operation: 'POST' }).pass).toBe(false)
    expect(compare(trail, { action: 'job.run', status: '2xx' }).pass).toBe(false)
  })

  it('is found if and only if one record has all of it', () => {
    const actions = fc.constantFrom('a', 'b')
    const actors = fc.constantFrom('x', 'y')
    const statuses = fc.constantFrom(200, 403)
    const outcomes = fc.constantFrom<Outcome>('success', 'denied')
    const records = fc.record({ action: actions, actor: actors, status: statuses, outcome: outcomes })
    const expectations = fc.record(
      { action: actions, actor: actors, status: statuses, outcome: outcomes },
      { requiredKeys: [] },
    )
    const seen = { found: 0, missed: 0 }
    fc.assert(
      fc.property(fc.array(records, { maxLength: 6 }), expectations, (recorded, expected) => {
        const trail = new Trail()
        for (const [index, { action, actor, status, outcome }] of recorded.entries()) {
          trail.complete(`${index}`, status, { action, outcome, auth: { accessor_id: actor } })
        }
        const isThere = recorded.some((one) =>
          Object.entries({ ...one, ...expected }).every(([key, value]) => Reflect.get(one, key) === value),
        )
        expect(compare(trail, expected).pass).toBe(isThere)
        seen[isThere ? 'found' : 'missed']++
      }),
      { numRuns: 500 },
    )
    expect(Math.min(seen.found, seen.missed)).toBeGreaterThan(50)
  })
})

describe('the message', () => {
  it('says what was recorded instead, the nearest first, with what differs', () => {
    const trail = refundTrail()
      .complete('b', 200, { auth: { accessor_id: 'anonymous' } })
      .action('c', { namespace: { id: 'team' }, outcome: 'success' })
    const expected = { action: 'invoice.refund', actor: 'Bob', targets: ['invoice:42'], status: 200 }
    expect(compare(trail, expected).message()).toBe(
      [
        "The trail has no record with { action: 'invoice.refund', actor: 'Bob', targets: [ 'invoice:42' ], status: 200 }.",
        'Nearest:',
        '  POST /invoices/a/refund?fast=1, status 403, actor u-7 (Ada), action invoice.refund, targets invoice:42 urn:customer:a:7, outcome denied, reason not your invoice',
        "    actor: 'u-7', expected 'Bob'",
        '    status: 403, expected 200',
        'All 3:',
        '  POST /invoices/a/refund?fast=1, status 403, actor u-7 (Ada), action invoice.refund, targets invoice:42 urn:customer:a:7, outcome denied, reason not your invoice',
        '  POST /invoices/b/refund?fast=1, status 200, actor anonymous',
        '  no request, actor u-7 (Ada), namespace team, action report.export, outcome success',
      ].join('\n'),
    )
  })

  it('says that nothing was recorded, and what to await', () => {
    expect(compare(new Trail().stop(), {}).message()).toContain('none at all of a request or an action')
    expect(compare(new Trail(), { status: 200 }).message()).toContain('await app.audit.flush()')
  })

  it('says of what was not to be there which record it is', () => {
    expect(compare(refundTrail(), { status: 403 }).message()).toBe(
      'The trail has a record with { status: 403 }:\n  POST /invoices/a/refund?fast=1, status 403, actor u-7 (Ada), action invoice.refund, targets invoice:42 urn:customer:a:7, outcome denied, reason not your invoice',
    )
  })

  it('is bounded, and holds nothing that a terminal acts on', () => {
    const texts = fc.string({ unit: 'binary', minLength: 300, maxLength: 400 })
    const values = fc.record({ text: texts, id: texts, count: fc.integer({ min: 1, max: 60 }) })
    fc.assert(
      fc.property(values, ({ text, id, count }) => {
        const trail = new Trail()
        for (let index = 0; index < count; index++) {
          trail.complete(`${index}`, 200, { action: text, targets: [{ type: text, id }], annotations: { text } })
        }
        const message = compare(trail, {
          status: 404,
          action: `${text}!`,
          annotations: { text: id, id: text },
        }).message()
        expect(message.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(message.length).toBeLessThan(10_000)
        expect(message.split('\n').length).toBeLessThan(30)
      }),
    )
  })

  it('keeps the records that were made last, and says how many it leaves out', () => {
    const trail = new Trail()
    for (let index = 0; index < 25; index++) trail.complete(`${index}`, 200)
    const message = compare(trail, { status: 404 }).message()
    expect(message).toContain('All 25:\n  5 earlier ones, and\n  POST /invoices/5/refund')
    expect(message).toContain('/invoices/24/refund')
  })
})
