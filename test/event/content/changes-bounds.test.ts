import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventChange } from '../../../src/event/action.js'
import { ChangeList } from '../../../src/event/content/changes.js'
import { CHANGE_BOUNDS, newChanges } from '../../support/changes.js'
import { hostileText } from '../../support/hostile.js'
import { runs } from '../../support/runs.js'

function compare(
  before: unknown,
  after: unknown,
  { id, ...bounds }: { id?: string; maxChanges?: number; maxBytes?: number } = {},
) {
  const report = newChanges()
  const list = new ChangeList(report, { ...CHANGE_BOUNDS, ...bounds })
  const isWhole = list.add(before, after, { id })
  const json = list.toJson()
  expect(isWhole).toBe(report.truncated === undefined && report.omitted === undefined)
  const changes: EventChange[] = json === '' ? [] : JSON.parse(json)
  return { json, changes, report }
}

describe('changes', () => {
  const value = fc.oneof(
    hostileText,
    fc.anything({ withSparseArray: true, withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
    fc.dictionary(hostileText, fc.oneof(hostileText, fc.anything()), { maxKeys: 8 }),
    fc.array(fc.dictionary(fc.constantFrom('id', 'x'), hostileText), { maxLength: 8 }),
  )

  it('are valid JSON within their bounds, and what is not there is marked', () => {
    fc.assert(
      fc.property(value, value, fc.integer({ min: 1, max: 80 }), (before, after, maxChanges) => {
        const maxBytes = 64 * maxChanges
        const { json, changes, report } = compare(before, after, { id: 'id', maxChanges, maxBytes })
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(maxBytes)
        expect(changes.length).toBeLessThanOrEqual(maxChanges)
        expect(json).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Surrogate}/u)
        if (report.isAscii) expect(Buffer.byteLength(json)).toBe(json.length)
        for (const { path, id } of changes) {
          expect(path).toMatch(/^(?:\/(?:[^~/]|~[01])*)*$/u)
          expect(Buffer.byteLength(JSON.stringify(path))).toBeLessThanOrEqual(520)
          expect(Buffer.byteLength(id ?? '')).toBeLessThanOrEqual(128)
        }
        expect(JSON.stringify(report.omitted ?? {})).toMatch(/^[ -~]{2,200}$/)
        const { kept = 0, bytes = 1 } = report.truncated?.changes ?? {}
        expect(bytes).toBeGreaterThan(kept)
      }),
      { numRuns: runs(300) },
    )
  })

  it('share the room, where what small ones leave is for the larger ones', () => {
    const values = (text: string) => ({ a: text.repeat(9000), amount: text.length, b: text.repeat(9000) })
    const { json, changes, report } = compare(values('x'), values('yy'))
    const [a, amount, b] = changes
    expect(amount).toEqual({ path: '/amount', before: 1, after: 2 })
    for (const text of [a?.before, a?.after, b?.before, b?.after]) expect(String(text).length).toBeGreaterThan(1900)
    expect(report.truncated?.changes).toEqual({ bytes: 54_000 + json.length - textsIn(changes), kept: json.length })
    expect(report.omitted).toBeUndefined()
  })

  it('of several calls share the bounds, and are marked as one list', () => {
    const report = newChanges()
    const list = new ChangeList(report, { maxChanges: 3, maxBytes: 400 })
    expect(list.add({ n: 1 }, { n: 2 }, undefined)).toBe(true)
    expect(list.add({ password: 'a' }, { password: 'b', text: 'é'.repeat(500) }, undefined)).toBe(false)
    expect(list.add({ a: new Map(), b: 1 }, { a: new Map(), b: 2 }, undefined)).toBe(false)
    expect([report.truncated, report.omitted, report.redacted, report.isAscii]).toEqual([undefined, undefined, 0, true])
    const json = list.toJson()
    const changes: EventChange[] = JSON.parse(json)
    expect(changes.map(({ path }) => path)).toEqual(['/n', '/password', '/text'])
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(400)
    expect(report.truncated?.changes).toEqual({ bytes: expect.any(Number), kept: Buffer.byteLength(json) })
    expect(report.truncated?.changes?.bytes).toBeGreaterThan(1000)
    expect(report.omitted).toEqual({ 'changes.*': '1 changes too many, 1 values not plain' })
    expect([report.redacted, report.isAscii]).toEqual([2, false])
  })

  it('leave a short one its place, however many long ones there are', () => {
    const many = (text: string) =>
      Object.fromEntries(Array.from({ length: 63 }, (_, index) => [`k${index}`, text.repeat(5000)]))
    const { changes } = compare({ ...many('x'), amount: 1 }, { ...many('y'), amount: 2 })
    expect(changes).toHaveLength(64)
    expect(changes.at(-1)).toEqual({ path: '/amount', before: 1, after: 2 })
  })

  it('say that a value has no room, and leave out those whose path has none', () => {
    const [long, wide] = ['k'.repeat(100), { a: 'x'.repeat(100), n: 1e20 }]
    const { changes, report } = compare({ [long]: 1, n: 2n ** 300n }, { [long]: 2, n: 2n ** 299n }, { maxBytes: 130 })
    expect(changes).toEqual([{ path: '/n', before: '[too long]', after: '[too long]' }])
    expect(report.omitted).toEqual({ 'changes.*': '1 changes too long' })
    const none = compare({}, { ['k'.repeat(500)]: wide }, { maxBytes: 100 })
    expect([none.json, none.report.omitted]).toEqual(['', { changes: '1 changes too long' }])
  })

  it('have the start of a text of which only the start is searched, and name the nested ones that are left out', () => {
    const { changes, report } = compare({ text: 'a' }, { text: 'word '.repeat(100_000), deep: ['x'.repeat(40_000)] })
    expect(changes[0]?.after).toMatch(/^(word ){500,}/)
    expect(changes[1]).toEqual({ path: '/deep', after: ['[too long]'] })
    expect(report.truncated?.changes?.bytes).toBeGreaterThan(500_000)
    expect(report.omitted).toEqual({ 'changes.*': '1 texts too long' })
  })

  it('have paths and ids cut that are too long, a path never within an escape', () => {
    for (let length = 500; length < 520; length++) {
      const key = 'k'.repeat(length)
      const [change] = compare({ [key]: { '~': 1 } }, { [key]: { '~': 2 } }).changes
      expect(`/${key}/~0`.startsWith(change?.path ?? '-')).toBe(true)
      expect(change?.path).not.toMatch(/~$/)
    }
    const [change] = compare([{ id: 'é'.repeat(200), n: 1 }], [{ id: 'é'.repeat(200), n: 2 }], { id: 'id' }).changes
    expect(change?.id).toBe('é'.repeat(64))
  })
})

describe('what is not plain', () => {
  it('is not compared, and said to be unknown where it may differ', () => {
    class Order {}
    const same = new Order()
    const proxy = () => new Proxy({}, {})
    const cases: Array<[unknown, unknown, number]> = [
      [new Order(), new Order(), 1],
      [same, same, 0],
      [new Map(), new Map(), 1],
      [proxy(), proxy(), 1],
      [() => 1, () => 2, 1],
      [Buffer.from('a'), Buffer.from('b'), 1],
    ]
    for (const [before, after, unknown] of cases) {
      const { json, report } = compare({ x: before }, { x: after })
      expect([json, report.omitted]).toEqual(['', unknown === 0 ? undefined : { changes: '1 values not plain' }])
    }
    expect(compare({ x: new Order() }, { x: new Map() }).changes).toEqual([
      { path: '/x', before: '[Order]', after: '[Map]' },
    ])
  })

  it('is called in no way', () => {
    const thrower = (): never => {
      throw new Error('called')
    }
    const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, thrower]))
    const hostile = (n: number) => {
      const date = Object.assign(new Date(n), {
        toISOString: thrower,
        toJSON: thrower,
        getTime: thrower,
        valueOf: thrower,
      })
      Object.defineProperty(date, Symbol.toPrimitive, { value: thrower })
      const list = Object.assign([n], { toJSON: thrower, map: thrower, [Symbol.iterator]: thrower })
      Object.defineProperty(list, 1, { enumerable: true, get: thrower })
      const value = { toJSON: thrower, toString: thrower, date, list, proxy: new Proxy({ n }, traps), n }
      return Object.defineProperty(value, 'getter', { enumerable: true, get: thrower })
    }
    for (const id of ['n', 'getter']) {
      const { changes, report } = compare([hostile(1)], [hostile(2)], { id })
      expect(changes.map(({ path }) => path.split('/').slice(2).join('/')).toSorted()).toEqual(
        id === 'n' ? ['', ''] : ['date', 'list/0', 'n'],
      )
      expect(report.omitted).toEqual(id === 'n' ? undefined : { 'changes.*': '3 values not plain' })
    }
  })
})

describe('any size', () => {
  const deep = (depth: number, value: unknown) => {
    let nested = value
    for (let index = 0; index < depth; index++) nested = { a: nested }
    return nested
  }
  const cycle = (n: number) => {
    const holder: Record<string, unknown> = { n }
    holder.self = holder
    return holder
  }
  const sparse = (n: number) => {
    const list: number[] = []
    list[4_000_000_000] = n
    return list
  }
  /** A value that JSON writes in 2^depth pieces. */
  const doubled = (n: number) => {
    let value: unknown = { n }
    for (let index = 0; index < 30; index++) value = [value, value]
    return value
  }
  const list = (length: number, n: number) => Array.from({ length }, (_, index) => ({ id: index, n }))

  it('comes to an end, and says what is not compared', () => {
    expect(compare(deep(20, 1), deep(20, 2)).changes).toEqual([{ path: '/a'.repeat(20), before: 1, after: 2 }])
    expect(compare(deep(50_000, 1), deep(50_000, 2)).report.omitted).toEqual({ changes: '1 values too deep' })
    expect(compare(cycle(1), cycle(2)).report.omitted).toEqual({ 'changes.*': '1 values too deep' })
    for (const [before, after] of [
      [sparse(1), sparse(2)],
      [doubled(1), doubled(2)],
      [list(30_000, 1), list(30_000, 1)],
    ]) {
      expect(compare(before, after, { id: 'id' }).report.omitted?.changes).toBe('all after 20000 values')
    }
  })

  it('compares what stands above a long list, wherever it stands', () => {
    const { changes, report } = compare({ l: list(50_000, 1), n: 1 }, { l: list(50_000, 2), n: 2 }, { id: 'id' })
    expect(changes[0]).toEqual({ path: '/n', before: 1, after: 2 })
    expect(report.omitted).toEqual({ 'changes.*': 'all after 20000 values' })
  })

  it('takes time in proportion to its size, up to a bound', () => {
    const timeOf = (before: unknown, after: unknown): number => {
      const times = Array.from({ length: 3 }, () => {
        const start = process.cpuUsage()
        compare(before, after, { id: 'id' })
        const { user, system } = process.cpuUsage(start)
        return user + system
      })
      return Math.min(...times)
    }
    const full = timeOf(list(6_000, 1), list(6_000, 2))
    const most = 20 * full + 20_000
    expect(timeOf(list(24_000, 1), list(24_000, 2))).toBeLessThan(most)
    expect(timeOf(doubled(1), doubled(2))).toBeLessThan(most)
    expect(timeOf(sparse(1), sparse(2))).toBeLessThan(most)
    expect(
      timeOf(
        { a: Array.from({ length: 100 }, () => list(6_000, 1)) },
        { a: Array.from({ length: 100 }, () => list(6_000, 2)) },
      ),
    ).toBeLessThan(most)
    const texts = (text: string) => Array.from({ length: 64 }, () => ({ deep: text.repeat(50_000) }))
    expect(timeOf(texts('password '), texts('token= '))).toBeLessThan(most)
    expect(timeOf(texts(' '), texts('{'))).toBeLessThan(most)
  })
})

/** The characters of all texts among the values of changes. */
function textsIn(changes: readonly EventChange[]): number {
  const texts = changes.flatMap(({ before, after }) => [before, after]).filter((text) => typeof text === 'string')
  return texts.reduce((sum, text) => sum + text.length, 0)
}
