import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONGEST_TEXT } from '../../src/redact/limits.js'
import { RedactedJson } from '../../src/redact/redacted-json.js'
import { newChanges } from '../support/changes.js'
import { cleaned, hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'
import { redactorOf } from '../support/secrets.js'

const ROOM = 65_536

function write(value: unknown, { limit = ROOM, marks }: { limit?: number; marks?: string[] } = {}) {
  const changes = newChanges()
  const writer = new RedactedJson(limit, changes, marks === undefined ? null : new Set(marks))
  const json = writer.write(value)
  const parsed: unknown = json === '' ? undefined : JSON.parse(json)
  return { json, value: parsed, writer, changes }
}

/** JSON in a string, by the rules of an option. */
function writeNamed(keys: string[], text: string): unknown {
  const written: unknown = JSON.parse(new RedactedJson(ROOM, newChanges(redactorOf({ keys }))).write(text))
  return JSON.parse(String(written))
}

/** A proxy that throws at every operation. */
const trap = new Proxy(
  {},
  new Proxy(
    {},
    {
      get(_, name) {
        throw new Error(`the trap ${String(name)} was called`)
      },
    },
  ),
)

function boom(): never {
  throw new Error('called')
}

/** Objects that throw as soon as anything of theirs is called. */
const hostileObject = fc.constantFrom<() => object>(
  () => trap,
  () => ({ a: trap }),
  () => Object.create(trap),
  () => Object.create(null, { password: { get: boom, enumerable: true }, b: { value: trap, enumerable: true } }),
  () => Object.defineProperty([1, 2], 1, { get: boom, enumerable: true }),
  () => ({ toJSON: boom, toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom, [Symbol.iterator]: boom }),
  () => Object.assign(new Map(), { constructor: trap }),
  () =>
    Object.create(Object.create({ constructor: new Proxy(class {}, { get: boom, getOwnPropertyDescriptor: boom }) })),
  () => Object.create(Object.create(Object.prototype, { constructor: { get: boom } })),
  () => Object.create(Object.create({ constructor: Object.defineProperty(() => 1, 'name', { get: boom }) })),
  () => Object.defineProperties(new Date(0), { getTime: { value: boom }, toISOString: { value: boom } }),
  () => Object.defineProperty(Buffer.from('x'), 'byteLength', { get: boom }),
  () => Object.assign([trap], { toJSON: boom }),
)

const json = fc.jsonValue({ maxDepth: 6, noUnicodeString: false })

describe('a value', () => {
  it('is written as JSON has it', () => {
    fc.assert(
      fc.property(json, (value) => {
        const { value: written, writer, changes } = write(value)
        if (changes.redacted === 0) expect(written).toEqual(cleanedValue(JSON.parse(JSON.stringify(value))))
        expect(writer.isCut).toBe(false)
      }),
    )
  })

  it('takes no more bytes than it may, is valid JSON of the same kind, and says its size', () => {
    fc.assert(
      fc.property(
        fc.oneof(json, fc.anything()),
        fc.dictionary(hostileText, json),
        fc.nat(500),
        (any, dictionary, limit) => {
          for (const value of [any, dictionary, [any, dictionary]]) {
            const { json: text, value: written, writer } = write(value, { limit })
            expect(Buffer.byteLength(text)).toBe(writer.kept)
            expect(writer.kept).toBeLessThanOrEqual(limit)
            expect(writer.walked).toBeGreaterThanOrEqual(writer.kept)
            if (!writer.isCut) continue
            expect(writer.walked).toBeGreaterThan(limit)
            if (limit >= 2 && Array.isArray(value)) expect(Array.isArray(written)).toBe(true)
          }
        },
      ),
      { numRuns: runs(100) },
    )
  })

  it('holds no control character, line end or lone surrogate', () => {
    fc.assert(
      fc.property(fc.dictionary(hostileText, hostileText), (value) => {
        expect(write(value).json).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Surrogate}/u)
      }),
    )
  })

  it('keeps the members before the first that has no room, and nothing after it', () => {
    const { value, writer } = write({ a: 1, b: [1, 2, 3, 4, 5], c: 2 }, { limit: 18 })
    expect(value).toEqual({ a: 1, b: [1, 2] })
    expect([writer.isCut, writer.kept]).toEqual([true, 17])
    expect(write([1, 'x'.repeat(5), 2], { limit: 8 }).value).toEqual([1])
    expect(write({ a: true, b: {} }, { limit: 14 }).value).toEqual({ a: true })
    expect(write({}, { limit: 1 }).json).toBe('')
  })

  it('has a long text cut between two characters', () => {
    const { value, writer } = write({ a: 'é😀'.repeat(100) }, { limit: 40 })
    expect(value).toEqual({ a: `${'é😀'.repeat(5)}é` })
    expect(writer.walked).toBe('{"a":""}'.length + 600)
    expect(write('x'.repeat(100), { limit: 32 }).json).toBe(`"${'x'.repeat(30)}"`)
  })

  it('is redacted before it is cut', () => {
    for (let limit = 2; limit < 80; limit++) {
      const { json: text } = write({ list: [{ password: 'hunter2-hunter2', n: 1 }, 'x'.repeat(20)] }, { limit })
      expect(text).not.toContain('hun')
    }
  })

  it('counts redactions in the part that is kept', () => {
    const secrets = Array.from({ length: 10 }, () => ({ token: 'x' }))
    const { value, changes } = write(secrets, { limit: 100 })
    expect(value).toEqual(
      secrets
        .slice(0, changes.redacted)
        .map(() => ({ token: '[REDACTED]' }))
        .concat(JSON.parse('[{}]')),
    )
    expect(changes.redacted).toBe(4)
  })

  it('names values that are too deep, and needs no stack for them', () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(write(deep).json).toBe(`${'['.repeat(32)}"[too deep]"${']'.repeat(32)}`)
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(write(cycle).json).toContain('[too deep]')
  })

  it('ends for an object that holds itself many times over', () => {
    const many: unknown[] = []
    for (let index = 0; index < 1000; index++) many.push(many)
    const { writer } = write(many)
    expect(writer.isCut).toBe(true)
    expect(write(new Array(1_000_000_000), { limit: 100 }).writer.isCut).toBe(true)
  })

  it('has a text that is too long to be searched left out in its place', () => {
    const { value, writer } = write({ a: 'x'.repeat(LONGEST_TEXT + 1), b: 1 })
    expect(value).toEqual({ a: '[too long]', b: 1 })
    expect([writer.isCut, writer.leftOut]).toEqual([false, 1])
  })
})

describe('a key', () => {
  it('may be any text, `__proto__` too, and is cut when it is long', () => {
    expect(write(JSON.parse('{"__proto__":{"password":"x"}}')).json).toBe('{"__proto__":{"password":"[REDACTED]"}}')
    expect(write({ ['k'.repeat(300)]: 1, ['é'.repeat(300)]: 2 }).value).toEqual({
      ['k'.repeat(256)]: 1,
      ['é'.repeat(128)]: 2,
    })
  })

  it('that is too long to be searched keeps its start, without a secret that the search would cut, and no value', () => {
    const long = 'x '.repeat(3000)
    expect(write({ [long]: 'a', b: 1 }).value).toEqual({ [long.slice(0, 256)]: '[REDACTED]', b: 1 })
    const cards = '4111 1111 1111 1111 '.repeat(300)
    expect(write({ [cards]: 'a' })).toMatchObject({ value: { '[too long]': '[REDACTED]' }, changes: { redacted: 1 } })
    expect(write({ [`Bearer s3cr3t ${long}`]: 'a' }).json).not.toContain('s3cr3t')
  })

  it('that is listed has no value in the line, at any depth', () => {
    const VALUE = 'hunter2'
    const key = fc.constantFrom('password', 'Api-Key', 'X_AUTH_TOKEN', 'user[password]', 'card%4Eumber', '%2570in')
    const secret = fc.oneof(fc.constant(VALUE), fc.constant([VALUE]), fc.constant({ a: { b: VALUE } }))
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 8, withCrossShrink: true },
        fc.constant(1),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc
          .tuple(key, secret, hostileText, tie('tree'))
          .map(([name, value, other, rest]) => ({ [other]: rest, [name]: value })),
      ),
    }))
    fc.assert(
      fc.property(tree, fc.integer({ min: 2, max: 2000 }), (value, limit) => {
        expect(write(value, { limit }).json).not.toContain(VALUE)
      }),
      { numRuns: runs(100) },
    )
  })

  it('has booleans and null under it kept, unless a mark or an option names it', () => {
    const value = { password: null, token: true, secret: { a: 1 }, otp: 123456, vip: true, list: [{ pin: false }] }
    const kept = { password: null, token: true, secret: '[REDACTED]', otp: '[REDACTED]', list: [{ pin: false }] }
    const text = JSON.stringify(value)
    for (const written of [write(value).value, JSON.parse(String(write(text).value))]) {
      expect(written).toEqual({ ...kept, vip: true })
    }
    const all = { ...kept, password: '[REDACTED]', vip: '[REDACTED]' }
    for (const written of [write(value, { marks: ['vip', 'password'] }).value, writeNamed(['vip', 'password'], text)]) {
      expect(written).toEqual(all)
    }
  })

  it('that is a secret itself is redacted', () => {
    const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln'
    expect(write({ [token]: { [`Bearer ${token}`]: 1 } }).value).toEqual({ '[REDACTED]': { 'Bearer [REDACTED]': 1 } })
  })

  it('that is marked is treated like a listed one', () => {
    const { value, changes } = write(
      { 'Home-Address': { street: 'x' }, list: [{ home_address: [1] }] },
      { marks: ['homeaddress'] },
    )
    expect(value).toEqual({ 'Home-Address': '[REDACTED]', list: [{ home_address: '[REDACTED]' }] })
    expect(changes.redacted).toBe(2)
  })
})

describe('an object of the application', () => {
  it('has nothing of its own called', () => {
    fc.assert(
      fc.property(fc.array(hostileObject, { maxLength: 5 }), (makers) => {
        const objects = makers.map((make) => make())
        write(objects)
        write({ objects, password: objects[0] })
        for (const object of objects) write(object)
      }),
    )
  })

  it('is written as its type if it is not a plain object', () => {
    class Order {}
    const others = [new Order(), new Map(), /x/, Buffer.from('x'), new Error('x'), new Number(1), () => 1, Symbol('x')]
    expect(write(others).value).toEqual([
      ...['[Order]', '[Map]', '[RegExp]', '[Buffer]', '[Error]', '[Number]', '[function]', '[symbol]'],
    ])
    const hidden = [trap, Object.create(trap), Object.create(Object.create(Object.prototype)), undefined]
    expect(write(hidden).value).toEqual(['[Proxy]', '[object]', '[Object]', '[undefined]'])
    expect(
      write({
        get a() {
          return boom()
        },
      }).value,
    ).toEqual({ a: '[getter]' })
  })

  it('is plain in any realm, and with an empty prototype', () => {
    const parsed: object = Object.create(Object.create(null))
    Object.assign(parsed, { a: 1 })
    expect(
      write([vm.runInNewContext('({ a: [1] })'), parsed, Object.assign(Object.create(null), { b: 2 })]).value,
    ).toEqual([{ a: [1] }, { a: 1 }, { b: 2 }])
  })

  it('may be a date, a bigint, or a number that JSON has not', () => {
    expect(write([new Date(0), new Date(Number.NaN), 10n, Number.NaN, Number.POSITIVE_INFINITY, -0]).value).toEqual([
      ...['1970-01-01T00:00:00.000Z', null, '10', null, null, 0],
    ])
  })
})

/** The JSON value as a line holds it if nothing is redacted. Of keys that become equal, the last wins. */
function cleanedValue(value: unknown): unknown {
  if (typeof value === 'string') return cleaned(value)
  if (Array.isArray(value)) return value.map(cleanedValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [cleaned(key), cleanedValue(member)]))
}
