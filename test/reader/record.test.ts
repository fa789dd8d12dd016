import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvRow } from '../../src/cli/csv.js'
import { tableRow } from '../../src/cli/table.js'
import { parseRecord } from '../../src/reader/record.js'
import {
  completeLine,
  correctionLine,
  endLine,
  eventLine,
  gapLine,
  idOf,
  inRancher,
  receivedLine,
  workLines,
} from './made.js'

const MADE = { id: idOf(1), received: 1, completed: 2, status: 201, error: 'no', annotations: { order: '42' } }

const RANCHER_RECEIVED =
  '{"auditID":"30022177-9e2e-43d1-b0d0-06ef9d3db183","requestURI":"/v3/schemas","sourceIPs":["10.0.0.1","::1"],"user":{"name":"user-f4tt2","group":["system:authenticated"]},"verb":"GET","stage":"RequestReceived","stageTimestamp":"2018-07-20 10:22:43 +0800","requestBody":{"a":1}}'
const RANCHER_COMPLETE =
  '{"auditID":"30022177-9e2e-43d1-b0d0-06ef9d3db183","responseStatus":"200","stage":"ResponseComplete","stageTimestamp":"2018-07-20 02:22:44 +0000","responseBody":[1]}'

describe('parseRecord', () => {
  it('reads both records of format json', () => {
    expect(parseRecord(receivedLine(MADE))).toMatchObject({
      kind: 'received',
      isWhole: true,
      exchange: { id: idOf(1) },
    })
    expect(parseRecord(completeLine(MADE))).toMatchObject({
      kind: 'complete',
      exchange: {
        instance: 'i',
        timestamp: '2026-03-24T17:00:01.000Z',
        completed_at: '2026-03-24T17:00:02.000Z',
        response: { status_code: 201, error: 'no' },
        annotations: { order: '42' },
      },
    })
  })

  it('reads both records of format rancher in the words of the other', () => {
    expect(parseRecord(RANCHER_RECEIVED)).toEqual({
      kind: 'received',
      isWhole: false,
      exchange: {
        id: '30022177-9e2e-43d1-b0d0-06ef9d3db183',
        timestamp: '2018-07-20T02:22:43.000Z',
        auth: { accessor_id: 'user-f4tt2', groups: ['system:authenticated'] },
        request: {
          operation: 'GET',
          endpoint: '/v3/schemas',
          request_meta: { source_ips: ['::1', '10.0.0.1'] },
          body: { a: 1 },
        },
      },
    })
    expect(parseRecord(RANCHER_COMPLETE)).toMatchObject({
      kind: 'complete',
      isWhole: false,
      exchange: { completed_at: '2018-07-20T02:22:44.000Z', response: { status_code: 200, body: [1] } },
    })
  })

  it('takes the 0 of format rancher for no status', () => {
    const record = parseRecord(RANCHER_COMPLETE.replace('"200"', '"0"'))
    expect(record).toMatchObject({ exchange: { response: { body: [1] } } })
    expect(record).not.toHaveProperty('exchange.response.status_code')
  })

  it('reads entries about the trail itself, in both formats', () => {
    expect(parseRecord(gapLine(3, 1))).toMatchObject({ kind: 'life', type: 'gap', details: { lost: 3, in_doubt: 1 } })
    expect(parseRecord(correctionLine({ ...MADE, correction: { status_code: 500 } }))).toMatchObject({
      kind: 'correction',
      id: idOf(1),
      content: { status_code: 500 },
    })
    const gap = '{"auditID":"a","stage":"gap","stageTimestamp":"2026-03-24 17:12:01 +0000","gap":{"lost":3}}'
    expect(parseRecord(gap)).toMatchObject({ kind: 'life', type: 'gap', details: { lost: 3 } })
    const correction = gap.replaceAll('"gap"', '"correction"').replace('"lost":3', '"status_code":500,"error":"E"')
    expect(parseRecord(correction)).toMatchObject({ kind: 'correction', id: 'a', content: { error: 'E' } })
  })

  it.each([
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"payload":null}',
    completeLine(MADE).slice(0, -2),
    completeLine(MADE).replace('"created_at"', '"at"'),
    completeLine(MADE).replace('"OperationComplete"', '"Else"'),
    completeLine(MADE).replace('"status_code":201', '"status_code":"201"'),
    completeLine(MADE).replace('"remote_address":"127.0.0.1:1"', '"remote_address":1'),
    completeLine(MADE).replace(/2026/g, '+012026'),
    RANCHER_COMPLETE.replace('2018-07-20', '2018-13-20'),
    RANCHER_COMPLETE.replace('ResponseComplete', 'toString'),
  ])('takes %j for no exchange', (line) => {
    expect(['received', 'complete']).not.toContain(parseRecord(line)?.kind)
  })

  it('takes types and members of later versions for what they are', () => {
    const event = JSON.parse(completeLine(MADE))
    const later = { ...event, payload: { ...event.payload, type: 'later', later: { a: 1 } } }
    expect(parseRecord(JSON.stringify(later))).toMatchObject({ kind: 'life', type: 'later', details: { a: 1 } })
    const more = { ...event, later: 1, payload: { ...event.payload, later: 1 } }
    expect(parseRecord(JSON.stringify(more))).toEqual(parseRecord(completeLine(MADE)))
  })

  it.each([
    ['action', 1],
    ['targets', [{ type: 'a' }]],
    ['targets', { type: 'a', id: 'b' }],
    ['targets', [{ type: 'a', id: 1 }]],
    ['outcome', 'done'],
    ['reason', {}],
    ['changes', [{ before: 1 }]],
    ['changes', 'all'],
    ['namespace', 'default'],
    ['parent', 1],
    ['at', 'yesterday'],
    ['error', []],
    ['aborted', 'yes'],
    ['duration_ms', '1'],
    ['stage', 'Else'],
    ['timestamp', 5],
    ['auth', null],
  ])('takes no action whose %s is %j', (key, value) => {
    const event = JSON.parse(eventLine({ id: idOf(1), at: 1 }))
    expect(parseRecord(JSON.stringify(event))?.kind).toBe('complete')
    event.payload[key] = value
    expect(parseRecord(JSON.stringify(event))).toBeUndefined()
    expect(inRancher([JSON.stringify(event)]).map(parseRecord)).toEqual([undefined])
  })

  it.each([{}, { how: 'closed' }, { how: 'else', duration_ms: 1 }, { how: 'closed', duration_ms: 1, error: 1 }, null])(
    'takes no end that is %j',
    (end) => {
      const event = JSON.parse(endLine(idOf(1), 1))
      event.payload.end = end
      expect(parseRecord(JSON.stringify(event))).toBeUndefined()
    },
  )

  it('never fails, and each exchange that it returns can be shown, whatever its values are', () => {
    const keys = fc.constantFrom(
      ...['id', 'stage', 'timestamp', 'auth', 'request', 'response', 'annotations', 'open', 'corrected', 'end', 'type'],
      ...['action', 'targets', 'outcome', 'reason', 'changes', 'namespace', 'at', 'parent', 'error', 'duration_ms'],
    )
    const inner = fc.constantFrom(
      ...['accessor_id', 'name', 'operation', 'endpoint', 'route', 'namespace', 'request_meta', 'status_code'],
      ...['error', 'duration_ms', 'aborted', 'on_behalf_of', '0', 'id'],
    )
    const action = { targets: [{ type: 'a', id: 'b' }], changes: [{ path: '/a', before: 1 }] }
    const samples = [
      completeLine({ ...MADE, action: { action: 'a', ...action } }),
      eventLine({ id: idOf(2), at: 1, more: action }),
      ...workLines({ id: idOf(3), at: 1, ended: 2, more: action }),
    ]
    let shown = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        keys,
        inner,
        fc.jsonValue({ maxDepth: 2 }),
        fc.boolean(),
        (line, key, member, value, isDeep) => {
          const event = JSON.parse(line)
          const { payload } = event
          if (!isDeep) payload[key] = value
          else if (typeof payload[key] === 'object') payload[key][member] = value
          const record = parseRecord(JSON.stringify(event))
          if (record?.kind !== 'complete' && record?.kind !== 'received') return
          for (const own of ['open', 'corrected', 'end']) expect(record.exchange).not.toHaveProperty(own)
          csvRow(record.exchange)
          tableRow(record.exchange, { paint: (text) => text, columns: 100 })
          shown++
        },
      ),
      { numRuns: 400 },
    )
    expect(shown).toBeGreaterThan(40)
  })
})
