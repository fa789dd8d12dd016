import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quote } from '../../src/event/bounded-text.js'
import { quoteWhole } from '../../src/json.js'
import { newChanges } from '../support/changes.js'
import { cleaned, hostileText, sizeOf } from '../support/hostile.js'
import { runs } from '../support/runs.js'

describe('quote', () => {
  it('gives back any text that fits, cleaned, in one line', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const changes = newChanges()
        const literal = quote(text, 1_000_000, 'x', changes)
        expect(JSON.parse(literal)).toBe(cleaned(text))
        expect(literal).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Surrogate}/u)
        expect(changes.truncated).toBeUndefined()
        expect(quoteWhole(text)).toBe(literal)
      }),
      { numRuns: runs(200) },
    )
  })

  it('cuts what is too long at a character, in bytes after escaping, keeps all that fits, and says so', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 300 }), (text, limit) => {
        const changes = newChanges()
        const literal = quote(text, limit, 'request.endpoint', changes)
        const whole = quoteWhole(text)
        const value: unknown = JSON.parse(literal)
        if (sizeOf(whole) <= limit) {
          expect(literal).toBe(whole)
          expect(changes.truncated).toBeUndefined()
          return
        }
        expect(sizeOf(literal)).toBeLessThanOrEqual(limit)
        const characters = [...cleaned(text)]
        const kept = [...String(value)]
        expect(kept).toEqual(characters.slice(0, kept.length))
        const next = characters[kept.length]
        if (next === undefined) throw new Error('marked as cut, and nothing is missing')
        expect(sizeOf(literal) + sizeOf(quoteWhole(next))).toBeGreaterThan(limit)
        expect(changes.truncated).toEqual({
          'request.endpoint': {
            bytes: Buffer.byteLength(text),
            kept: Buffer.byteLength([...text].slice(0, kept.length).join('')),
          },
        })
      }),
      { numRuns: runs(200) },
    )
  })

  it('says whether all that was quoted is ASCII, so that its length is its size', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const changes = newChanges()
        const literal = quote(text, 100, 'x', changes)
        if (changes.isAscii) expect(Buffer.byteLength(literal)).toBe(literal.length)
      }),
    )
  })

  it('says of a text that was cut twice how long it was at first', () => {
    const changes = newChanges()
    changes.markTruncated('x', 5000, 100)
    changes.markTruncated('x', 100, 10)
    expect(changes.truncated).toEqual({ x: { bytes: 5000, kept: 10 } })
  })

  it('writes what a client chose as one value, never as more of the line', () => {
    const changes = newChanges()
    expect(quote('","status_code":200,"x":"', 100, 'x', changes)).toBe('"\\",\\"status_code\\":200,\\"x\\":\\""')
  })
})
