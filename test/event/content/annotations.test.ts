import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Annotations } from '../../../src/event/content/annotations.js'
import { BOUNDS } from '../../../src/event/limits.js'
import { ChangeReport } from '../../../src/redact/change-report.js'
import { Redactor } from '../../../src/redact/redactor.js'
import { newChanges } from '../../support/changes.js'
import { hostileText } from '../../support/hostile.js'

function annotate(...values: Array<Record<string, unknown>>): { json: string; changes: ChangeReport; value: unknown } {
  const changes = newChanges()
  const annotations = new Annotations(changes)
  for (const added of values) annotations.add(added)
  const json = annotations.toJson()
  return { json, changes, value: JSON.parse(json) }
}

describe('annotations', () => {
  it('are the values that were given, the last one of a key', () => {
    const { value, changes } = annotate(
      { order: '42', n: 1, deep: { a: [true, null, 1.5] } },
      { order: '43', none: undefined },
    )
    expect(value).toEqual({ order: '43', n: 1, deep: { a: [true, null, 1.5] } })
    expect([changes.truncated, changes.redacted]).toEqual([undefined, 0])
  })

  it('are valid JSON within their bounds whatever is given', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.dictionary(
            hostileText,
            fc.oneof(hostileText, fc.anything({ withSparseArray: true, withBigInt: true, withDate: true })),
          ),
          {
            maxLength: 4,
          },
        ),
        (values) => {
          const { json, value } = annotate(...values)
          expect(Buffer.byteLength(json)).toBeLessThanOrEqual(BOUNDS.annotations)
          expect(Object.keys(Object(value)).length).toBeLessThanOrEqual(BOUNDS.annotationKeys)
          expect(json).not.toMatch(/\p{Cc}|\p{Zl}|\p{Surrogate}/u)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('hold a place for a hole in an array', () => {
    const sparse: unknown[] = [1]
    sparse[2] = 3
    expect(annotate({ sparse }).value).toEqual({ sparse: [1, '[undefined]', 3] })
  })

  it('hold dates as RFC 3339 and bigints as their digits', () => {
    const given = { at: new Date(0), big: 12345678901234567890n, never: new Date(Number.NaN) }
    expect(annotate(given).value).toEqual({ at: '1970-01-01T00:00:00.000Z', big: '12345678901234567890', never: null })
  })

  it('name the type of what is no JSON, and call none of its methods', () => {
    class Order {
      toJSON(): never {
        throw new Error('called')
      }
    }
    const given = { order: new Order(), call: () => 1, symbol: Symbol('x'), nan: Number.NaN }
    expect(annotate(given).value).toEqual({
      order: '[Order]',
      call: '[function]',
      symbol: '[symbol]',
      nan: null,
    })
  })

  it('end for an object that holds itself, once or many times over', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(annotate({ cycle }).json).toContain('[too deep]')
    const many: unknown[] = []
    for (let index = 0; index < 1000; index++) many.push(many)
    expect(annotate({ many }).value).toEqual({})
  })

  it('leave out what is too much, and say how much of how much is kept', () => {
    const { value, changes } = annotate({ big: 'x'.repeat(5000), small: 'y', bigger: 'z'.repeat(5000) })
    expect(value).toEqual({ small: 'y' })
    const { bytes, kept } = changes.truncated?.annotations ?? { bytes: 0, kept: 0 }
    expect(kept).toBe('{"small":"y"}'.length + 1)
    expect(bytes).toBeGreaterThan(10_000)
    const keys = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]))
    expect(Object.keys(Object(annotate(keys).value))).toHaveLength(BOUNDS.annotationKeys)
  })

  it('redact the values of secret keys at any depth, and count those that are in the line', () => {
    const { json, changes } = annotate(
      { Password: 'hunter2', user: { 'api-key': 'hunter2', list: [{ X_Auth_Token: 'hunter2' }] } },
      { Password: 'hunter2' },
    )
    expect(json).not.toContain('hunter2')
    expect(changes.redacted).toBe(3)
  })

  it('are redacted by the rules of their server', () => {
    const rules = { keys: ['nickname'], mode: 'mask', secret: undefined, keyId: '', omit: [] } as const
    const annotations = new Annotations(new ChangeReport(new Redactor(rules)))
    annotations.add({ Nick_Name: 'x', n: { nickname: 'x' } })
    expect(JSON.parse(annotations.toJson())).toEqual({ Nick_Name: '[REDACTED]', n: { nickname: '[REDACTED]' } })
  })

  it('of which one cannot be redacted are there without that one, and say so', () => {
    const redactor = new Redactor({ keys: [], mode: 'hmac', secret: undefined, keyId: '1', omit: [] }, () => {
      throw new Error('broken')
    })
    const changes = new ChangeReport(redactor)
    const annotations = new Annotations(changes)
    annotations.add({ order: 42, api_key: 'hunter2' })
    expect(changes.omitted).toBeUndefined()
    expect(JSON.parse(annotations.toJson())).toEqual({ order: 42 })
    expect(changes.omitted).toEqual({ annotations: 'redaction failed' })
  })

  it('are read without a call of the application', () => {
    const given = Object.defineProperty({ __proto__: null, deep: {} }, 'own', {
      enumerable: true,
      get() {
        throw new Error('called')
      },
    })
    Object.defineProperty(given.deep, 'inner', { enumerable: true, get: () => 'called' })
    expect(annotate(given).value).toEqual({ deep: { inner: '[getter]' }, own: '[getter]' })
  })

  it('mark nothing before Complete is written', () => {
    const changes = newChanges()
    new Annotations(changes).add({ password: 'x', big: 'x'.repeat(5000) })
    expect([changes.truncated, changes.redacted]).toEqual([undefined, 0])
  })
})
