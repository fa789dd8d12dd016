import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTrail } from '../../src/index.js'
import { HeldFollowUps } from '../../src/reader/follow-ups.js'
import { parseRecord } from '../../src/reader/record.js'
import {
  all,
  completeLine,
  endLine,
  eventLine,
  found,
  idOf,
  inRancher,
  linesOf,
  type Made,
  receivedLine,
  temporaryDirectory,
  timeOf,
  trailOf,
  workCorrectionLine,
  workLines,
  write,
} from './made.js'

const REQUEST: Made = { id: idOf(1), received: 1, completed: 2, status: 200 }
const TARGETS = [
  { type: 'invoice', id: '42', name: 'Invoice 42' },
  { type: 'customer', id: '7' },
]
const REFUND = { action: 'invoice.refund', targets: TARGETS, outcome: 'denied', reason: 'closed' } as const
const REFUNDED: Made = { id: idOf(2), received: 3, completed: 4, status: 403, action: REFUND }
const EVENT = {
  id: idOf(3),
  at: 5,
  actor: 'cron',
  namespace: 'team',
  more: { outcome: 'success', targets: [{ type: 'invoice', id: '43' }], parent: idOf(1), at: timeOf(-100) },
}
const WORK = { id: idOf(4), at: 6, ended: 8, action: 'report.export', more: { outcome: 'failure', error: 'disk full' } }
const OPEN = { id: idOf(5), at: 7, action: 'report.export' }

const TRAIL = [...linesOf(REQUEST), ...linesOf(REFUNDED), eventLine(EVENT), ...workLines(WORK), ...workLines(OPEN)]

describe.each(['json', 'rancher'] as const)('actions in format %s', (format) => {
  const inFormat = (lines: readonly string[]) => (format === 'json' ? [...lines] : inRancher(lines))

  it('are read: an event where it stands, work joined, and open work at the end', async () => {
    const path = trailOf(inFormat([eventLine(EVENT), ...workLines(WORK), ...workLines(OPEN), ...linesOf(REQUEST)]))
    const [event, work, request, open] = await all(readTrail(path))
    expect(event).toEqual({
      id: EVENT.id,
      type: 'action',
      timestamp: timeOf(5),
      auth: { accessor_id: 'cron' },
      namespace: { id: 'team' },
      action: 'invoice.refund',
      ...EVENT.more,
      ...(format === 'json' && { instance: 'i' }),
    })
    expect(work).toEqual({
      id: WORK.id,
      type: 'action',
      timestamp: timeOf(6),
      completed_at: timeOf(8),
      auth: { accessor_id: 'job' },
      namespace: { id: 'default' },
      action: 'report.export',
      duration_ms: 2000,
      ...WORK.more,
      ...(format === 'json' && { instance: 'i' }),
    })
    expect([request?.id, request?.type]).toEqual([REQUEST.id, undefined])
    expect(open).toMatchObject({ id: OPEN.id, type: 'action', open: true })
    expect(await found(path, { open: true })).toEqual([OPEN.id])
  })

  it('are corrected, also without their second record', async () => {
    const [begun = '', ended = ''] = workLines(WORK)
    const correction = workCorrectionLine(WORK.id, 'FST_AUDIT_RESPONSE_WITHHELD')
    const corrected = { error: 'FST_AUDIT_RESPONSE_WITHHELD', outcome: 'failure', corrected: { error: 'disk full' } }
    expect(await all(readTrail(trailOf(inFormat([begun, ended, correction]))))).toMatchObject([corrected])
    const [without] = await all(readTrail(trailOf(inFormat([begun, correction]))))
    expect(without).toMatchObject({ error: 'FST_AUDIT_RESPONSE_WITHHELD', corrected: {} })
    expect(without).not.toHaveProperty('response')
    expect(without).not.toHaveProperty('open')
  })

  it('have the end of a long reply with its request, in whatever file it stands', async () => {
    const directory = temporaryDirectory()
    const end = { how: 'failed', error: 'reset', close_code: 1006, annotations: { late: 'yes' } }
    write(join(directory, 'audit.log'), inFormat([endLine(REQUEST.id, 61, end)]))
    write(join(directory, 'audit-2026-03-24T18-00-00.000Z.log'), inFormat(linesOf(REQUEST)))
    const expected = [{ id: REQUEST.id, response: { status_code: 200 }, end: { ...end, duration_ms: 61_000 } }]
    for (const query of [{}, { until: timeOf(30) }, { annotations: { late: 'yes' } }, { status: '200' }]) {
      expect(await all(readTrail(directory, query))).toMatchObject(expected)
    }
  })
})

describe('a request with an end and no outcome', () => {
  it('is not open', async () => {
    const path = trailOf([receivedLine(REQUEST), endLine(REQUEST.id, 61)])
    const [exchange] = await all(readTrail(path))
    expect(exchange).toMatchObject({ end: { how: 'closed' } })
    expect(exchange).not.toHaveProperty('open')
    expect(await found(path, { open: true })).toEqual([])
  })
})

describe('a query', () => {
  const path = () => trailOf(TRAIL)

  it.each([
    ['action', { action: 'invoice.refund' }, [REFUNDED, EVENT]],
    ['actions by a glob', { action: ['report.*'] }, [WORK, OPEN]],
    ['actions by braces', { action: '{invoice,report}.{refund,none}' }, [REFUNDED, EVENT]],
    ['any action', { action: '*' }, [REFUNDED, EVENT, WORK, OPEN]],
    ['a target', { target: 'invoice:42' }, [REFUNDED]],
    ['the second of several targets', { target: 'customer:7' }, [REFUNDED]],
    ['targets by a glob', { target: 'invoice:4*' }, [REFUNDED, EVENT]],
    ['a type of targets', { target: 'invoice' }, [REFUNDED, EVENT]],
    ['one of several targets', { target: ['{x,invoice}:43', 'none:1'] }, [EVENT]],
    ['no part of a type', { target: 'inv' }, []],
    ['an outcome', { outcome: ['denied', 'failure'] }, [REFUNDED, WORK]],
    ['an actor', { actor: 'cron' }, [EVENT]],
    ['a namespace', { namespace: 'team' }, [EVENT]],
    ['what belongs to a request', { parent: idOf(1).slice(0, 8) }, [EVENT]],
    ['an id', { id: idOf(4) }, [WORK]],
    ['a time, of the record and not of `at`', { since: timeOf(5), until: timeOf(7) }, [EVENT, WORK]],
    ['no time of `at`', { until: timeOf(0) }, []],
    ['an endpoint of requests alone', { endpoint: '*' }, [REQUEST, REFUNDED]],
    ['an operation of requests alone', { operation: 'GET' }, [REQUEST, REFUNDED]],
    ['a status of requests alone', { status: ['2xx', '4xx', '5xx'] }, [REQUEST, REFUNDED]],
    ['all conditions together', { action: 'invoice.*', target: 'invoice', outcome: 'success' }, [EVENT]],
  ] as const)('finds %s', async (_, query, made) => {
    expect(await found(path(), query)).toEqual(made.map(({ id }) => id))
  })

  it('finds actions in format rancher as well', async () => {
    const other = trailOf(inRancher(TRAIL))
    expect(await found(other, { action: 'invoice.refund' })).toEqual([EVENT.id])
    expect(await found(other, { target: 'invoice:43', parent: idOf(1) })).toEqual([EVENT.id])
    expect(await found(other, { outcome: 'failure' })).toEqual([WORK.id])
  })

  it.each([
    [{ action: '' }, /action "" is empty/],
    [{ target: 'a{' }, /target "a\{"/],
    [{ outcome: 'ok' }, /outcome "ok" is not an outcome: write 'success'/],
    [{ parent: 'abc' }, /parent "abc" is too short/],
    [{ outcome: 'denied', open: true }, /open is what has no outcome/],
  ])('refuses %j', (query, message) => {
    expect(() => readTrail('.', query)).toThrow(message)
  })

  it('finds the same whether or not lines can be passed over unparsed', async () => {
    const trail = path()
    const pick = fc.constantFrom('invoice', 'customer', 'order')
    const ids = fc.constantFrom('42', '43', '7', '4')
    await fc.assert(
      fc.asyncProperty(pick, ids, fc.constantFrom('invoice.refund', 'report.export'), async (type, id, action) => {
        const spaced = await found(trail, { target: `${type}:${id}`, action })
        // Braces hide a value from the search of bytes.
        expect(await found(trail, { target: `{${type}:${id},none:0}`, action: `{${action},none}` })).toEqual(spaced)
      }),
      { numRuns: 24 },
    )
  })
})

describe('corrections and ends that are held', () => {
  it('have bounds by number and by bytes, each kind its own', () => {
    const followUps = new HeldFollowUps({ entries: 3, bytes: 1000 })
    const take = (line: string, bytes: number) => {
      const record = parseRecord(line)
      if (record?.kind !== 'end' && record?.kind !== 'correction') throw new Error(`not what follows: ${line}`)
      followUps.take(record, bytes)
    }
    for (let number = 0; number < 5; number++) take(endLine(idOf(number), 1), 10)
    expect(followUps.refused).toEqual({ correction: 0, end: 2 })
    take(workCorrectionLine(idOf(9), 'x'), 2000)
    take(workCorrectionLine(idOf(10), 'x'), 10)
    expect(followUps.refused).toEqual({ correction: 1, end: 2 })
    expect([2, 4, 9, 10].map((number) => followUps.has(idOf(number)))).toEqual([true, false, true, false])
  })

  it('leave the exchange as it is without one', () => {
    const record = parseRecord(completeLine(REQUEST))
    if (record?.kind !== 'complete') throw new Error('not complete')
    expect(new HeldFollowUps().applyTo(record.exchange)).toBe(record.exchange)
  })
})
