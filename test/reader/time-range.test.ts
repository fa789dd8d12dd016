import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimeRange } from '../../src/reader/time-range.js'
import { completeLine, eventLine, gapLine, idOf, linesOf, receivedLine, START, workLines } from './made.js'

const SECOND = 1000
const times = fc.integer({ min: 0, max: 9 })
const bounds = fc.tuple(fc.integer({ min: -1, max: 5 }), fc.integer({ min: 6, max: 11 }))

function partOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

function rangeOf(since: number | undefined, until: number | undefined): TimeRange {
  const at = (seconds: number | undefined, none: number): number =>
    seconds === undefined ? none : START + seconds * SECOND
  return new TimeRange(at(since, Number.NEGATIVE_INFINITY), at(until, Number.POSITIVE_INFINITY))
}

describe('a range of times', () => {
  it('may hold a part exactly when a request in it was received then', () => {
    const seconds = fc.array(times, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(seconds, bounds, fc.boolean(), (received, [since, until], isOutcome) => {
        const lines = received.map((second, index) => {
          const made = { id: idOf(index), received: second, completed: second + 100 }
          return isOutcome ? completeLine(made) : receivedLine(made)
        })
        const isAny = received.some((second) => second >= since && second < until)
        expect(rangeOf(since, until).mayHold(partOf(lines))).toBe(isAny)
        expect(rangeOf(since, undefined).mayHold(partOf(lines))).toBe(received.some((second) => second >= since))
        expect(rangeOf(undefined, until).mayHold(partOf(lines))).toBe(received.some((second) => second < until))
      }),
    )
  })

  it('may hold a part exactly when an action in it was recorded then, whatever else its lines say of times', () => {
    const more = { at: '2026-03-24T17:00:05.000Z', reason: '"timestamp":"2026-03-24T17:00:05.000Z"' }
    for (const at of [0, 9]) {
      for (const lines of [[eventLine({ id: idOf(1), at, more })], workLines({ id: idOf(1), at, ended: 5, more })]) {
        expect(rangeOf(4, 7).mayHold(partOf(lines))).toBe(false)
        expect(rangeOf(at, at + 1).mayHold(partOf(lines))).toBe(true)
      }
    }
  })

  const EARLY = receivedLine({ id: idOf(1), received: 0 })

  it.each<[string, string]>([
    ['a foreign line', 'x'],
    ['an empty line', ''],
    ['the format rancher', linesOf({ id: idOf(2), received: 0 }, 'rancher').join('')],
    ['another order of keys', EARLY.replace('{"created_at"', '{"event_type":"audit","created_at"')],
    ['another zone', EARLY.replace(/Z","auth"|"timestamp":"[^"]*/, '"timestamp":"2026-03-25T01:00:00.000+09:00')],
    ['no time', '{"created_at":"2026-03-24T17:00:00.000Z","payload":{}}'],
  ])('may hold %s, of which nothing is known', (_, line) => {
    expect(rangeOf(100, 200).mayHold(partOf([EARLY, line, EARLY]))).toBe(true)
  })

  it('holds no line with another time in it, wherever that stands', () => {
    const hostile = EARLY.replace('"endpoint":"/"', '"endpoint":"/\\"timestamp\\":\\"2026-03-24T17:02:00.000Z\\""')
    expect(rangeOf(100, 200).mayHold(partOf([EARLY, hostile, gapLine(1, 1)]))).toBe(false)
  })

  it('holds everything where nothing is asked, and a line that is not whole', () => {
    expect(rangeOf(undefined, undefined).mayHold(partOf([EARLY]))).toBe(true)
    expect(rangeOf(100, 200).mayHold(Buffer.from(EARLY))).toBe(true)
  })
})
