import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SHOWN, Statistics } from '../../src/cli/statistics.js'
import { Tally } from '../../src/cli/tally.js'
import { barsOf, Timeline } from '../../src/cli/timeline.js'

describe('Timeline', () => {
  it('counts everything once, in spans of one length, however many there are', () => {
    const times = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 60 }), (list, limit) => {
        const timeline = new Timeline(16)
        for (const time of list) timeline.add(time)
        const { width, spans } = timeline.spans(limit)
        expect(spans.length).toBeLessThanOrEqual(limit)
        for (const { from, count } of spans) {
          expect(count).toBe(list.filter((time) => time >= from && time < from + width).length)
        }
        expect(spans.reduce((sum, { count }) => sum + count, 0)).toBe(list.length)
      }),
    )
  })

  it('is empty when nothing was counted, and can be had in the spans of a longer one', () => {
    const timeline = new Timeline()
    expect(timeline.spans(10).spans).toEqual([])
    timeline.add(9000)
    expect(timeline.spansOf(4000)).toEqual([{ from: 8000, count: 1 }])
  })

  it('draws a bar for whatever is more than nothing', () => {
    expect(barsOf([0, 1, 50, 100])).toBe(' ▁▄█')
    expect(barsOf([])).toBe('')
  })
})

describe('Tally', () => {
  it('names the highest, and counts together what comes after its bound', () => {
    const tally = new Tally(2)
    for (const key of ['a', 'b', 'b', 'c', 'd', 'a', 'b']) tally.add(key, key === 'b')
    expect(tally.top(1)).toEqual([{ key: 'b', total: 3, errors: 3 }])
    expect(tally.others).toEqual({ total: 2, errors: 0 })
    expect(tally.size).toBe(2)
  })
})

describe('Statistics', () => {
  it('keeps the slowest in their order, and no more than are shown', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }), (durations) => {
        const statistics = new Statistics()
        for (const duration_ms of durations) {
          statistics.add({ id: 'x', timestamp: '2026-03-24T17:00:00Z', response: { status_code: 200, duration_ms } })
        }
        const slowest = [...durations].sort((one, other) => other - one).slice(0, SHOWN)
        expect(statistics.slowest.map(({ response }) => response?.duration_ms)).toEqual(slowest)
      }),
    )
  })
})
