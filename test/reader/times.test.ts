import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime } from '../../src/reader/times.js'

const NOW = Date.parse('2026-03-24T17:09:35.704Z')
const at = (text: string): string => new Date(parseTime('since', text, NOW)).toISOString()

describe('parseTime', () => {
  it.each([
    ['2026-03-24T17:09:35Z', '2026-03-24T17:09:35.000Z'],
    ['2026-03-24 17:09:35.5+02:00', '2026-03-24T15:09:35.500Z'],
    ['2026-03-24t17:09z', '2026-03-24T17:09:00.000Z'],
    ['2026-03-24T17:09:35.123456789Z', '2026-03-24T17:09:35.123Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2h', '2026-03-24T15:09:35.704Z'],
    ['1h30m', '2026-03-24T15:39:35.704Z'],
    ['0', '2026-03-24T17:09:35.704Z'],
  ])('takes %s', (text, time) => {
    expect(at(text)).toBe(time)
  })

  it.each([
    ['2026-02-29', 'there is no such day'],
    ['2026-13-01', 'there is no such day'],
    ['2026-00-10', 'there is no such day'],
    ['2026-01-00', 'there is no such day'],
    ['2026-03-24T17:09:35', 'the zone is missing'],
    ['2026-03-24T25:00:00Z', 'write a time such as'],
    ['2d', "write '48h'"],
    ['2', "write '2s', '2m' or '2h'"],
    ['yesterday', 'write a time such as'],
    ['-2h', 'write a time such as'],
    ['24.03.2026', 'write a'],
    ['', 'write a time such as'],
  ])('refuses %s and says what to write', (text, remedy) => {
    expect(() => at(text)).toThrow(
      expect.objectContaining({ code: 'FST_AUDIT_INVALID_QUERY', message: expect.stringContaining(remedy) }),
    )
    expect(() => at(text)).toThrow(/^since "/)
  })

  it('takes every time that it writes, in any zone', () => {
    const times = fc.date({
      min: new Date('0000-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(times, fc.integer({ min: -23, max: 23 }), (time, hours) => {
        const zone = `${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:00`
        const local = new Date(time.getTime() + hours * 3_600_000).toISOString().slice(0, -1)
        fc.pre(local.length === 23)
        expect(parseTime('since', local + zone, NOW)).toBe(time.getTime())
        expect(parseTime('since', time, NOW)).toBe(time.getTime())
      }),
    )
  })

  it('refuses an invalid Date', () => {
    expect(() => parseTime('until', new Date(Number.NaN), NOW)).toThrow(/^until/)
  })
})
