import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventChange } from '../../../src/event/action.js'
import { ChangeList } from '../../../src/event/content/changes.js'
import { Redactor, type RedactSettings } from '../../../src/redact/redactor.js'
import { CHANGE_BOUNDS, newChanges } from '../../support/changes.js'
import { runs } from '../../support/runs.js'

const MASK = '[REDACTED]'
const RULES: RedactSettings = { keys: [], mode: 'mask', secret: undefined, keyId: '1', omit: [] }

function compare(
  before: unknown,
  after: unknown,
  {
    rules = {},
    marks,
    id,
  }: { rules?: Partial<RedactSettings>; marks?: ReadonlySet<string>; id?: string | undefined } = {},
) {
  const report = newChanges(new Redactor({ ...RULES, ...rules }))
  const list = new ChangeList(report, CHANGE_BOUNDS, marks)
  list.add(before, after, { id })
  const json = list.toJson()
  const changes: EventChange[] = json === '' ? [] : JSON.parse(json)
  return { json, changes, redacted: report.redacted }
}

describe('a secret that changed', () => {
  it.each<[string, unknown, unknown, string]>([
    ['by its key', { password: 'a' }, { password: 'b' }, '/password'],
    ['by a key above it', { secret: { deep: { x: 1, y: 1 } } }, { secret: { deep: { x: 2, y: 2 } } }, '/secret'],
    ['within a list', { tokens: ['a', 'b'] }, { tokens: ['a', 'c'] }, '/tokens'],
    ['by a name beside it', [{ name: 'DB_PASSWORD', value: 'a' }], [{ name: 'DB_PASSWORD', value: 'b' }], '/0/value'],
    ['by a flag before it', ['--password', 'a'], ['--password', 'b'], '/1'],
    ['by the kind of its object', { kind: 'Secret', data: { a: 'a' } }, { kind: 'Secret', data: { a: 'b' } }, '/data'],
    [
      'by the variable of a query',
      { query: 'mutation { login(pin: $p) }', variables: { p: 'a', q: 1 } },
      { query: 'mutation { login(pin: $p) }', variables: { p: 'b', q: 1 } },
      '/variables/p',
    ],
    [
      'by a key that is too long to be read',
      { ['k'.repeat(5000)]: 'a' },
      { ['k'.repeat(5000)]: 'b' },
      `/${'k'.repeat(511)}`,
    ],
  ])('%s is one change, redacted on both sides', (_how, before, after, path) => {
    const { changes, redacted } = compare(before, after)
    expect(changes).toEqual([{ path, before: MASK, after: MASK }])
    expect(redacted).toBe(2)
  })

  it('is redacted on the one side on which it is', () => {
    expect(compare({}, { password: { a: 1 } })).toMatchObject({
      changes: [{ path: '/password', after: MASK }],
      redacted: 1,
    })
    expect(compare({ password: 'a' }, { password: null }).changes).toEqual([
      { path: '/password', before: MASK, after: null },
    ])
  })

  it('is redacted on both sides where a name beside it was changed as well', () => {
    const [before, after] = [
      { name: 'password', value: 'hunter2' },
      { name: 'colour', value: 'hunter3' },
    ]
    for (const [one, other] of [
      [before, after],
      [after, before],
    ]) {
      expect(compare(one, other).changes).toContainEqual({ path: '/value', before: MASK, after: MASK })
    }
  })

  it('is found by option and by mark, at any depth', () => {
    const values = [{ user: { NickName: { a: 'a' } } }, { user: { NickName: { a: 'b' } } }] as const
    const expected = [{ path: '/user/NickName', before: MASK, after: MASK }]
    expect(compare(...values, { rules: { keys: ['nick-name'] } }).changes).toEqual(expected)
    expect(compare(...values, { marks: new Set(['nickname']) }).changes).toEqual(expected)
    expect(compare(...values).changes).toEqual([{ path: '/user/NickName/a', before: 'a', after: 'b' }])
  })

  it('is found in texts, in whole values, in keys of paths and in ids', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    const card = '4111 1111 1111 1111'
    const { json, redacted } = compare(
      { note: `with ${card}`, [`password=${token}`]: 1, lines: [{ sku: token, n: 1 }] },
      { note: 'paid', added: { deep: [{ token: 'x' }] }, [`password=${token}`]: 2, lines: [{ sku: token, n: 2 }] },
      { id: 'sku' },
    )
    expect(json).not.toMatch(/4111|ghp_/)
    expect(redacted).toBe(4)
  })

  it('has a hash in the mode hmac, but where it is a password', () => {
    const rules = { mode: 'hmac', secret: Buffer.alloc(32, 7), keyId: 'k1' } as const
    const { changes } = compare({ api_key: 'a', password: 'a' }, { api_key: 'b', password: 'b' }, { rules })
    const [key, password] = changes
    expect(key?.before).toMatch(/^hmac/)
    expect(key?.after).toMatch(/^hmac/)
    expect(key?.before).not.toBe(key?.after)
    expect(password).toEqual({ path: '/password', before: MASK, after: MASK })
    expect(compare([{ token: 'x', n: 1 }], [{ token: 'x', n: 2 }], { rules, id: 'token' }).changes[0]?.id).toMatch(
      /^hmac/,
    )
  })

  it('is found in a long text, or the text is not shown', () => {
    const long = 'x'.repeat(40_000)
    const json = JSON.stringify({ pad: long, name: 'password', value: 'hunter2' }).replace('password', 'pass\\u0077ord')
    const texts = [`password=hunter2 ${long}`, `-----BEGIN PRIVATE KEY-----\n${'hunter2\n'.repeat(5000)}`, json, [json]]
    for (const text of texts) expect(compare({ text: 'a' }, { text }).json).not.toContain('hunter2')
    const start = '{"pass\\u0077ord":"hunter2","pad":"'
    expect(compare('a', `${start}${long}"}`).changes).toEqual([{ path: '', before: 'a', after: '[too long]' }])
    expect(compare('a', `${start}"}`).json).not.toContain('hunter2')
  })

  it('is not a change while it is the same, or only moved', () => {
    expect(compare({ password: { a: 1 }, token: 'x' }, { token: 'x', password: { a: 1 } }).changes).toEqual([])
    const lines = [
      { sku: 1, pin: 1 },
      { sku: 2, pin: 2 },
    ]
    expect(compare(lines, lines.toReversed(), { id: 'sku' }).changes).toEqual([])
  })
})

describe('any secret', () => {
  const SECRET = 'hunter2hunter2'
  const other = fc.constantFrom('old', 7, null, { a: ['b'] }, ['x'], undefined)
  const planted = fc.oneof(
    fc
      .constantFrom('password', 'api_key', 'X-Auth-Token', 'user[pin]', 'clientSecret')
      .map((key) => ({ [key]: SECRET })),
    fc.constantFrom('secret', 'credentials').map((key) => ({ [key]: { deep: [{ [SECRET]: SECRET }] } })),
    fc.constant({ name: 'password', value: SECRET }),
    fc.constant({ key: 'password', value: { [SECRET]: SECRET } }),
    fc.constant(['--token', SECRET]),
    fc.constant(['password', SECRET]),
    fc.constant({ kind: 'Secret', data: { a: SECRET } }),
    fc.constant({ note: `password=${SECRET}` }),
    fc.constant({ [`token=${SECRET}`]: 1 }),
    fc.constant({ url: `https://bob:${SECRET}@example.org/` }),
  )
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      planted,
      other,
      fc.dictionary(fc.constantFrom('a', 'b', 'lines', 'c/d'), tie('document'), { maxKeys: 4 }),
      fc.array(fc.oneof(planted, tie('document')), { maxLength: 3 }),
      fc.array(fc.record({ sku: fc.nat(5), item: tie('document') }), { maxLength: 3 }),
    ),
  }))
  /** The same document with a change beside or within each secret. */
  const pair = fc.tuple(document, document, fc.boolean()).map(([one, another, isNear]) => {
    return isNear ? [one, changed(one)] : [one, another]
  })

  it('is in no change, wherever it was, is or stays', () => {
    let seen = 0
    fc.assert(
      fc.property(pair, fc.constantFrom(undefined, 'sku', 'name'), ([before, after], id) => {
        const { json, redacted } = compare(before, after, { id })
        expect(json).not.toContain(SECRET.slice(0, 7))
        expect(redacted).toBe(json.split(MASK).length - 1)
        if (redacted > 0) seen++
      }),
      { numRuns: runs(600) },
    )
    expect(seen).toBeGreaterThan(runs(600) / 20)
  })

  function changed(value: unknown): unknown {
    if (typeof value === 'string') return `${value}!`
    if (Array.isArray(value)) return [...value.map(changed), 'new']
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        key === 'name' || key === 'kind' || key === 'key' ? member : changed(member),
      ]),
    )
  }
})

describe('a redactor that fails', () => {
  it('costs the record the list alone, which says so', () => {
    const redactor = new Redactor({ ...RULES, mode: 'hmac' }, () => {
      throw new Error('broken')
    })
    const report = newChanges(redactor)
    const list = new ChangeList(report, CHANGE_BOUNDS)
    expect(list.add({ api_key: 'a' }, { api_key: 'b' }, undefined)).toBe(false)
    expect(list.toJson()).toBe('')
    expect([report.omitted, report.redacted]).toEqual([{ changes: 'redaction failed' }, 0])
  })
})
