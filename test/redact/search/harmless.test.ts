import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChangeReport } from '../../../src/redact/change-report.js'
import { KeyIndex } from '../../../src/redact/key-index.js'
import { REDACTED, Redactor } from '../../../src/redact/redactor.js'
import { isHarmless, redactUrl } from '../../../src/redact/search/endpoint.js'
import { cuesOf, KEY } from '../../../src/redact/search/prefilter.js'
import { Search } from '../../../src/redact/search/search.js'
import { hostileText } from '../../support/hostile.js'
import { runs } from '../../support/runs.js'

const redactor = new Redactor()
const keys = new KeyIndex([])

/** Rules whose replacements tell the kinds of secrets apart, and from `[REDACTED]`. */
const rules = {
  secrecyOf: (key: string, marks: ReadonlySet<string> | null) => keys.secrecyOf(key, marks),
  secrecyOfValue: (key: string, _value: unknown, marks: ReadonlySet<string> | null) => keys.secrecyOf(key, marks),
  shapeOf: (key: string) => keys.shapeOf(key),
  secretName: (name: unknown) => redactor.secretName(name),
  replacement: (value: unknown, secrecy: number) => `<${secrecy}:${JSON.stringify(value)}>`,
}

const isFast = (url: string): boolean => (cuesOf(url) & ~KEY) === 0 && isHarmless(url, redactor)

const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln'

/** Pieces of URLs, and secrets that they may hide. */
const PIECES = [
  ...['/', '//', '?', '&', ';', '#', '=', ':', ',', '.', '@', '+', '-', '--', '"', "'", '[', ']', '{', '}', '~', '*'],
  ...['a', 'v1', 'jobs', 'web', 'prefix', 'limit', 'page', 'x', '20', '1', 'true', 'é', 'TOKEN', 'rer', 'sic', '\\'],
  ...['token', 'to-ken', 'Pass_Word', 'password', 'user[password]', 'auth.token', 'sid', 'otp', 'x-api-key', 'cvv'],
  ...['%3D', '%3d', '%253D', '%26', '%3F', '%3B', '%3A', '%22', '%20', '%', '%zz', '%74oken', '%2574oken', '%5B'],
  ...['token=abc', 'token:abc', 'password%3Dabc', 'a=token=abc', 'x;token=abc', '?token=abc', '/token=abc/', ':token'],
  ...['4111111111111111', '4111 1111 1111 1111', '4111-1111-1111-1111', '4111+1111+1111+1111', '378282246310005'],
  ...[JWT, `Bearer ${JWT}`, 'Bearer+abc123', 'bearer%20abc123', 'Basic dXNlcjpwYXNz', 'basic+dXNlcjpwYXNz', 'eyJ.a.b'],
  ...['http://', 'user:hunter2@', '{"token":"abc"}', '["token"]', '"token":"abc"', '-----BEGIN PRIVATE KEY-----', '\n'],
  ...[String.raw`"token\u003dabc"`, String.raw`["Bearer\u0020abc123"]`, '?a="', '&b/sid=1', '/x&y/otp=1'],
]

const piece = fc.constantFrom(...PIECES)
const pieces = (maxLength: number) => fc.array(piece, { maxLength }).map((some) => some.join(''))
/** A word that the fast path takes; now and then one of the pieces. */
const word = fc.oneof(
  { arbitrary: fc.constantFrom('a', 'prefix', 'v1', 'limit', 'x.y', 'q[0]', '20', ''), weight: 6 },
  { arbitrary: pieces(2), weight: 1 },
)
const ordinary = fc
  .record({
    path: fc.array(word, { maxLength: 3 }),
    pairs: fc.array(fc.tuple(word, fc.constantFrom('=', '=', '=', '', '=='), word), { maxLength: 4 }),
  })
  .map(({ path, pairs }) => `/${path.join('/')}?${pairs.map((pair) => pair.join('')).join('&')}`)
const url = fc.oneof(
  ordinary,
  pieces(12),
  fc.tuple(pieces(3), hostileText).map((parts) => parts.join('/x?y=')),
)

it('a URL has JSON in its query searched, even if nothing else in it looks like a secret', () => {
  const changes = new ChangeReport(redactor)
  expect(redactor.endpoint(String.raw`/a?["Bearer\u0020abc123"]`, undefined, changes)).toBe(`/a?["Bearer ${REDACTED}"]`)
  expect(changes.redacted).toBe(1)
})

it('a URL that cannot be searched is omitted', () => {
  class Failing extends Redactor {
    override secrecyOf(): never {
      throw new RangeError('no memory')
    }
  }
  const changes = new ChangeReport(new Failing())
  expect(changes.redactor.endpoint('/a?b=1', undefined, changes)).toBe('[omitted]')
  expect(changes.omitted).toEqual({ 'request.endpoint': 'redaction failed' })
})

describe('a URL that is taken for harmless', () => {
  it('holds nothing that a search finds', () => {
    let taken = 0
    fc.assert(
      fc.property(url, (text) => {
        if (!isFast(text)) return
        taken++
        const search = new Search(rules, null)
        expect(redactUrl(text, null, search)).toBe(text)
        expect(search.found).toBe(0)
      }),
      { numRuns: runs(2000) },
    )
    expect(taken).toBeGreaterThan(5)
  })

  it('gives the same endpoint as a search', () => {
    fc.assert(
      fc.property(url, (text) => {
        const changes = new ChangeReport(redactor)
        const search = new Search(redactor, null)
        expect(redactor.endpoint(text, undefined, changes)).toBe(redactUrl(text, null, search))
        expect(changes.redacted).toBe(search.found)
      }),
      { numRuns: runs(500) },
    )
  })

  it('is an ordinary one', () => {
    for (const text of [
      '/v1/jobs?prefix=web&limit=20',
      '/v1/job/web:scale?page=2&all',
      '/a?b=',
      '/a?=&=b',
      '/x?q[0]=1',
    ]) {
      expect(isFast(text), text).toBe(true)
    }
  })

  it.each([
    ...['/a?token=1', '/a?b=1&TO-KEN=1', '/a?user[password]=1', '/token=1/x', '/a;token=1', '/a&b/sid=1', '/a#token=1'],
    ...[
      '/a?b=token=1',
      '/a?b=token:1',
      '/a?token:1',
      '/a?b?token=1',
      '/a?b;token=1',
      '/a?b=1#token=1',
      String.raw`/a?b="token\u003d1"`,
    ],
  ])('is not one such as %s', (text) => {
    expect(isFast(text)).toBe(false)
  })

  it('is not one with a key that is secret on this server alone', () => {
    const own = new Redactor({ keys: ['badge'], mode: 'mask', secret: undefined, keyId: '', omit: [] })
    expect(own.endpoint('/a?badge=7&b=1', undefined, new ChangeReport(own))).toBe(`/a?badge=${REDACTED}&b=1`)
    expect(redactor.endpoint('/a?badge=7&b=1', undefined, new ChangeReport(redactor))).toBe('/a?badge=7&b=1')
  })
})
