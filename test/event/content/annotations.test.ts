import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Annotations } from '../../../src/event/content/annotations.js'
import { ChangeReport } from '../../../src/redact/change-report.js'
import { Redactor } from '../../../src/redact/redactor.js'
import { ANNOTATION_BOUNDS, newChanges } from '../../support/changes.js'
import { hostileText } from '../../support/hostile.js'
import { runs } from '../../support/runs.js'

function annotate(...values: Array<Record<string, unknown>>): { json: string; changes: ChangeReport; value: unknown } {
  const changes = newChanges()
  const annotations = new Annotations(changes, ANNOTATION_BOUNDS)
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

  it('are named in marks without the start of a secret that their key holds', () => {
    const token = `ghp_${'16C7e42F292c6912E771'.repeat(2).slice(0, 36)}`
    const { json, changes } = annotate({ [`${'x'.repeat(50)} ${token}`]: 'y'.repeat(20_000) })
    expect(Object.keys(changes.truncated ?? {})).toEqual([expect.stringMatching(/^annotations\.x{50}/)])
    expect(json + JSON.stringify(changes.truncated)).not.toContain('ghp_')
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
          expect(Buffer.byteLength(json)).toBeLessThanOrEqual(ANNOTATION_BOUNDS.maxBytes)
          expect(Object.keys(Object(value)).length).toBeLessThanOrEqual(ANNOTATION_BOUNDS.maxKeys)
          expect(json).not.toMatch(/\p{Cc}|\p{Zl}|\p{Surrogate}/u)
        },
      ),
      { numRuns: runs(100) },
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
    expect(JSON.stringify(annotate({ many }).value)).toMatch(/^\{"many":\[/)
  })

  it('are there or named, each of the first keys, whatever is given', () => {
    const anything = fc.oneof(
      fc.string({ maxLength: 9000 }),
      fc.constant('x'.repeat(5000)),
      fc.anything(),
      fc.integer(),
    )
    const given = fc.array(fc.dictionary(fc.string({ maxLength: 40 }), anything), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(given, fc.integer({ min: 1, max: 20 }), (calls, maxKeys) => {
        const changes = newChanges()
        const annotations = new Annotations(changes, { maxKeys, maxBytes: 64 * maxKeys })
        const answers = calls.map((values) => annotations.add(values))
        const json = annotations.toJson()
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(64 * maxKeys)
        const present = Object.keys(JSON.parse(json))
        const marks = Object.keys({ ...changes.truncated, ...changes.omitted })
        const keys = new Set(calls.flatMap((values) => Object.keys(values).filter((key) => values[key] !== undefined)))
        for (const key of [...keys].slice(0, maxKeys)) {
          // A key may itself hold a secret.
          const shown = changes.redactor.value(key, newChanges())
          expect(present.includes(shown) || marks.includes(`annotations.${shown}`), key).toBe(true)
        }
        if (keys.size > maxKeys) expect(changes.omitted).toHaveProperty(['annotations.*'])
        if (answers.every((answer) => answer))
          expect([changes.truncated, changes.omitted]).toEqual([undefined, undefined])
        // What was cut first may have been replaced later.
        const isReplaced = calls.flatMap((values) => Object.keys(values)).length > keys.size
        if (marks.length === 0 && !isReplaced) expect(answers).toEqual(calls.map(() => true))
      }),
      { numRuns: 300 },
    )
  })

  it('say that a value is left out whose key is too long to be searched', () => {
    const changes = newChanges()
    const annotations = new Annotations(changes, ANNOTATION_BOUNDS)
    expect(annotations.add({ ['k'.repeat(5000)]: 'x' })).toBe(false)
    expect(annotations.toJson()).not.toContain('"x"')
    expect(changes.omitted).toEqual({ [`annotations.${'k'.repeat(64)}.*`]: 'too long; 1 texts' })
  })

  it('leave a later key its place, however long what came before it', () => {
    const changes = newChanges()
    const annotations = new Annotations(changes, ANNOTATION_BOUNDS)
    expect(annotations.add({ note: 'x'.repeat(4080) })).toBe(false)
    expect(annotations.add({ attempted_user: 'alice' })).toBe(true)
    const value = JSON.parse(annotations.toJson())
    expect(value).toMatchObject({ attempted_user: 'alice', note: expect.stringMatching(/^x{2000,}$/) })
    expect(changes.truncated).toEqual({ 'annotations.note': { bytes: 4089, kept: expect.any(Number) } })
    expect(changes.omitted).toBeUndefined()
  })

  it('share the room, where what small ones leave is for the larger ones', () => {
    const { value, changes } = annotate({ a: 'a'.repeat(9000), small: 1, b: 'b'.repeat(9000) })
    const { a = '', b = '', small } = Object(value)
    expect(small).toBe(1)
    expect(Math.abs(a.length - b.length)).toBeLessThan(4)
    expect(a.length).toBeGreaterThan(1000)
    expect(Object.keys(changes.truncated ?? {})).toEqual(['annotations.a', 'annotations.b'])
  })

  it('may be replaced, and then take the room that there is', () => {
    const { value, changes } = annotate({ a: 'a'.repeat(9000) }, { a: 'b' }, { c: 'c'.repeat(1500) })
    expect([value, changes.truncated]).toEqual([{ a: 'b', c: 'c'.repeat(1500) }, undefined])
  })

  it('say how long a text was of which only the start is searched', () => {
    for (const [text, bytes] of [
      ['é'.repeat(300_000), 600_000],
      ['word '.repeat(100_000), 500_000],
    ] as const) {
      const { value, changes } = annotate({ text })
      expect(String(Object(value).text).length).toBeGreaterThan(900)
      expect(changes.truncated?.['annotations.text']?.bytes).toBe(bytes + '"text":""'.length)
    }
  })

  it('name what has no place: a key beyond the bound, and one whose value has no start', () => {
    const keys = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]))
    const { value, changes } = annotate(keys)
    expect(Object.keys(Object(value))).toHaveLength(ANNOTATION_BOUNDS.maxKeys)
    expect(changes.omitted).toEqual({ 'annotations.*': 'too many keys; k16, k17, k18, k19' })
    const long = 'k'.repeat(250)
    const full = Array.from({ length: 16 }, (_, index) => ({ [`${index}${long}`]: 'x'.repeat(5000) }))
    expect(annotate(...full).changes.omitted?.[`annotations.1${'k'.repeat(63)}`]).toMatch(/^too long; \d+ bytes$/)
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
    const annotations = new Annotations(new ChangeReport(new Redactor(rules)), ANNOTATION_BOUNDS)
    annotations.add({ Nick_Name: 'x', n: { nickname: 'x' } })
    expect(JSON.parse(annotations.toJson())).toEqual({ Nick_Name: '[REDACTED]', n: { nickname: '[REDACTED]' } })
  })

  it('of which one cannot be redacted are there without that one, and say so', () => {
    const redactor = new Redactor({ keys: [], mode: 'hmac', secret: undefined, keyId: '1', omit: [] }, () => {
      throw new Error('broken')
    })
    const changes = new ChangeReport(redactor)
    const annotations = new Annotations(changes, ANNOTATION_BOUNDS)
    annotations.add({ order: 42, api_key: 'hunter2' })
    expect(changes.omitted).toBeUndefined()
    expect(JSON.parse(annotations.toJson())).toEqual({ order: 42 })
    expect(changes.omitted).toEqual({ 'annotations.api_key': 'redaction failed' })
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
    new Annotations(changes, ANNOTATION_BOUNDS).add({ password: 'x', big: 'x'.repeat(5000) })
    expect([changes.truncated, changes.redacted]).toEqual([undefined, 0])
  })
})
