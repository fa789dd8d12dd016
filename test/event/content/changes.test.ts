import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventChange } from '../../../src/event/action.js'
import { ChangeList, type ChangesOptions } from '../../../src/event/content/changes.js'
import type { Redactor } from '../../../src/redact/redactor.js'
import { applyChanges } from '../../support/apply-changes.js'
import { CHANGE_BOUNDS, newChanges } from '../../support/changes.js'
import { runs } from '../../support/runs.js'

interface Given extends ChangesOptions {
  maxChanges?: number
  maxBytes?: number
  redactor?: Redactor
  marks?: ReadonlySet<string>
}

function compare(before: unknown, after: unknown, given: Given = {}) {
  const {
    maxChanges = CHANGE_BOUNDS.maxChanges,
    maxBytes = CHANGE_BOUNDS.maxBytes,
    redactor,
    marks,
    ...options
  } = given
  const report = newChanges(redactor)
  const list = new ChangeList(report, { maxChanges, maxBytes }, marks)
  const isWhole = list.add(before, after, options)
  const json = list.toJson()
  expect(isWhole).toBe(report.truncated === undefined && report.omitted === undefined)
  const changes: EventChange[] = json === '' ? [] : JSON.parse(json)
  return { json, changes, report }
}

const changesOf = (before: unknown, after: unknown, given?: Given) => compare(before, after, given).changes

const ROOM = { maxChanges: 100_000, maxBytes: 2 ** 24 }

describe('changes', () => {
  it('are what was changed, added and removed, by JSON Pointers', () => {
    expect(changesOf({ a: 1, b: 2, c: { d: [1, 2] } }, { a: 1, b: 3, e: { f: 1 }, c: { d: [1, 5] } })).toEqual([
      { path: '/b', before: 2, after: 3 },
      { path: '/e', after: { f: 1 } },
      { path: '/c/d/1', before: 2, after: 5 },
    ])
    expect(changesOf({ a: { b: 1 }, l: [1, 2] }, { l: [1] })).toEqual([
      { path: '/a', before: { b: 1 } },
      { path: '/l/1', before: 2 },
    ])
  })

  it('are none between two values that are written in the same way', () => {
    const same: Array<[unknown, unknown]> = [
      [{ a: [1, { b: null }] }, { a: [1, { b: null }] }],
      [{ a: 1, b: undefined }, { a: 1 }],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [undefined, null],
      [new Date(5), new Date(5)],
      [{ at: new Date(5) }, { at: '1970-01-01T00:00:00.005Z' }],
      [{ n: 12n }, { n: 12n }],
      [{ n: Number.NaN }, { n: null }],
      [{ n: 0 }, { n: -0 }],
      [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ]
    for (const [before, after] of same) {
      const { json, report } = compare(before, after)
      expect([json, report.truncated, report.omitted]).toEqual(['', undefined, undefined])
    }
  })

  it('are one where the whole was added or removed, and where its kind is another', () => {
    for (const none of [undefined, null]) {
      expect(changesOf(none, { a: 1 })).toEqual([{ path: '', after: { a: 1 } }])
      expect(changesOf({ a: 1 }, none)).toEqual([{ path: '', before: { a: 1 } }])
    }
    expect(changesOf(1, '1')).toEqual([{ path: '', before: 1, after: '1' }])
    expect(changesOf({ a: [1] }, { a: { 0: 1 } })).toEqual([{ path: '/a', before: [1], after: { 0: 1 } }])
    expect(changesOf({ a: null }, { a: {} })).toEqual([{ path: '/a', before: null, after: {} }])
  })

  it('have keys escaped in their pointers, and any key is a key', () => {
    const given = JSON.parse('{"__proto__":1,"constructor":1,"a/b~c":1,"":1,"length":1}')
    expect(changesOf({}, given).map(({ path }) => path)).toEqual([
      '/__proto__',
      '/constructor',
      '/a~1b~0c',
      '/',
      '/length',
    ])
  })

  it('hold dates, bigints and what is no JSON as bodies do', () => {
    class Order {}
    const after = { at: new Date(0), big: 12345678901234567890n, order: new Order(), call: () => 1, hole: [undefined] }
    expect(changesOf({ at: 1, big: 1, order: 1, call: 1, hole: 1 }, after).map((change) => change.after)).toEqual([
      '1970-01-01T00:00:00.000Z',
      '12345678901234567890',
      '[Order]',
      '[function]',
      ['[undefined]'],
    ])
  })

  it('put those nearest to the root first, so that a map of many keys does not push them out', () => {
    const map = (value: number) => Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, value]))
    const { changes, report } = compare({ map: map(1), amount: 1 }, { map: map(2), amount: 2 })
    expect(changes[0]).toEqual({ path: '/amount', before: 1, after: 2 })
    expect(changes).toHaveLength(64)
    expect(report.omitted).toEqual({ 'changes.*': '37 changes too many' })
  })
})

describe('lists', () => {
  const lines = (...items: Array<[string | number, number]>) => ({ lines: items.map(([sku, n]) => ({ sku, n })) })

  it('are compared by index', () => {
    expect(changesOf(lines(['a', 1], ['b', 2]), lines(['b', 2]))).toEqual([
      { path: '/lines/1', before: { sku: 'b', n: 2 } },
      { path: '/lines/0/sku', before: 'a', after: 'b' },
      { path: '/lines/0/n', before: 1, after: 2 },
    ])
  })

  it('are compared by an id where one is named, wherever their items stand', () => {
    const before = lines(['a', 1], ['b', 2], ['c', 3])
    for (const id of ['sku', ['nr', 'sku']]) {
      expect(changesOf(before, lines(['c', 3], ['d', 4], ['b', 5]), { id })).toEqual([
        { path: '/lines/1', id: 'd', after: { sku: 'd', n: 4 } },
        { path: '/lines/0', id: 'a', before: { sku: 'a', n: 1 } },
        { path: '/lines/2/n', id: 'b', before: 2, after: 5 },
      ])
    }
    expect(changesOf(before, lines(['c', 3], ['b', 2], ['a', 1]), { id: 'sku' })).toEqual([])
    expect(changesOf(lines([1, 1]), lines(['1', 2]), { id: 'sku' })).toEqual([
      { path: '/lines/0/sku', id: '1', before: 1, after: '1' },
      { path: '/lines/0/n', id: '1', before: 1, after: 2 },
    ])
    expect(changesOf([], [{ sku: 1 }], { id: 'sku' })).toEqual([{ path: '/0', id: '1', after: { sku: 1 } }])
  })

  it('are compared by index where an item has no id of its own', () => {
    const odd = [[{ sku: 1 }, { sku: 1 }], [{ sku: 1 }, 2], [{ sku: {} }], [{ n: 1 }], [[1]], [new Map()], [null]]
    for (const list of odd) {
      const changes = changesOf({ list }, { list: [{ sku: 'x' }] }, { id: 'sku' })
      expect(changes.every((change) => change.id === undefined)).toBe(true)
      expect(changes.length).toBeGreaterThan(0)
    }
  })
})

describe('documents', () => {
  const key = fc.oneof(
    fc.constantFrom('a', 'b', 'a/b', '~', '', '__proto__', '0'),
    fc.string({ unit: fc.constantFrom('x', 'z', '9', '"', 'é', ' ', '/', '~'), maxLength: 4 }),
  )
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(null, true, false, 0, 1, -1.5, 'x', 'y', ''),
      fc.array(tie('document'), { maxLength: 4 }),
      fc.uniqueArray(fc.tuple(key, tie('document')), { selector: ([name]) => name, maxLength: 4 }).map(objectOf),
    ),
  }))

  it('become each other by their changes', () => {
    let seen = 0
    fc.assert(
      fc.property(document, document, (before, after) => {
        const { changes, report } = compare({ before }, { before: after }, ROOM)
        expect(applyChanges({ before }, changes)).toEqual({ before: after })
        expect([report.truncated, report.omitted, report.redacted]).toEqual([undefined, undefined, 0])
        if (changes.some(({ path }) => path.split('/').length > 2)) seen++
      }),
      { numRuns: runs(500) },
    )
    expect(seen).toBeGreaterThan(runs(500) / 50)
  })

  it('become each other by ids too, but for the order of the lists', () => {
    const item = fc.record({
      sku: fc.integer({ min: 0, max: 9 }),
      n: fc.nat(2),
      tags: fc.array(fc.nat(2), { maxLength: 3 }),
    })
    const list = fc.uniqueArray(item, { selector: ({ sku }) => sku, maxLength: 8 })
    fc.assert(
      fc.property(list, list, (before, after) => {
        const { changes, report } = compare({ lines: before }, { lines: after }, { ...ROOM, id: 'sku' })
        const inOrder = (lines: typeof before) => lines.toSorted((one, other) => one.sku - other.sku)
        const applied = applyChanges({ lines: before }, changes, 'sku')
        expect(inOrder(applied.lines)).toEqual(inOrder(after))
        expect(report.omitted).toBeUndefined()
        for (const { path, id, after: value } of changes) {
          const at = Number(path.split('/')[2])
          expect(String((value === undefined && path.split('/').length === 3 ? before : after)[at]?.sku)).toBe(id)
        }
      }),
      { numRuns: runs(300) },
    )
  })
})

function objectOf(entries: Array<[string, unknown]>): object {
  return Object.defineProperties(
    {},
    Object.fromEntries(
      entries.map(([name, value]) => [name, { value, enumerable: true, configurable: true, writable: true }]),
    ),
  )
}
