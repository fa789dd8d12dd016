import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Annotations } from '../../src/event/content/annotations.js'
import type { ChangeReport } from '../../src/redact/change-report.js'
import { isSecretKey, REDACTED, Redactor } from '../../src/redact/redactor.js'
import { ANNOTATION_BOUNDS, newChanges } from '../support/changes.js'
import { hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'

const redactor = new Redactor()

const redactEndpoint = (url: string, changes: ChangeReport): string => redactor.endpoint(url, undefined, changes)
const redactText = (text: string, path: string, changes: ChangeReport): string => redactor.text(text, path, changes)

/** Secret keys as their words. */
const SECRETS = [
  ...[
    ['password'],
    ['new', 'password'],
    ['client', 'secret'],
    ['access', 'token'],
    ['x', 'api', 'key'],
    ['authorization'],
  ],
  ...[['set', 'cookie'], ['session', 'id'], ['credit', 'card', 'number'], ['x', 'amz', 'signature'], ['jwt'], ['sig']],
]

const encoded = (text: string): string =>
  [...text].map((character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')

const someEncoded = (key: string, which: readonly boolean[]): string =>
  [...key].map((character, index) => (which[index % which.length] ? encoded(character) : character)).join('')

/** A secret key in disguise, as it may stand in a query. */
const disguised: fc.Arbitrary<string> = fc
  .record({
    words: fc.constantFrom(...SECRETS),
    joint: fc.constantFrom('', '-', '_', '--', '_-'),
    upper: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    nesting: fc.constantFrom(
      (key: string) => key,
      (key: string) => `user[${key}]`,
      (key: string) => `${key}[]`,
      (key: string) => `${key}[0]`,
      (key: string) => `a[b][${key}][c]`,
      (key: string) => `auth.${key}`,
      (key: string) => `${key}.value`,
      (key: string) => `-${key}_`,
    ),
    escaped: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    again: fc.boolean(),
  })
  .map(({ words, joint, upper, nesting, escaped, again }) => {
    const cased = [...words.join(joint)].map((letter, index) =>
      upper[index % upper.length] ? letter.toUpperCase() : letter,
    )
    const once = someEncoded(nesting(cased.join('')), escaped)
    return again ? once.replaceAll('%', '%25') : once
  })

/** Nothing else in a line holds it. */
const VALUE = 'hunter2xyzzy'
const secretValue = fc.constantFrom(
  VALUE,
  `=${VALUE}`,
  `${VALUE}=`,
  `a:${VALUE}`,
  `%22${VALUE}`,
  `x+${VALUE}/`,
  `"${VALUE}"`,
)

describe('user information', () => {
  it.each([
    ['http://user:hunter2@host/x?a=1', `http://${REDACTED}@host/x?a=1`],
    ['https://hunter2@host', `https://${REDACTED}@host`],
    ['http://user:hun@ter2@host/', `http://${REDACTED}@host/`],
  ])('is left out of the endpoint %s', (url, redacted) => {
    const changes = newChanges()
    expect(redactEndpoint(url, changes)).toBe(redacted)
    expect(changes.redacted).toBe(1)
  })

  it('is left out of running text, and an @ elsewhere is not', () => {
    const changes = newChanges()
    const text = 'cannot reach postgres://app:hunter2@db/x for ada@example.org'
    expect(redactText(text, 'response.error', changes)).toBe(
      `cannot reach postgres://${REDACTED}@db/x for ada@example.org`,
    )
    expect(redactEndpoint('/users/ada@example.org', changes)).toBe('/users/ada@example.org')
    expect(changes.redacted).toBe(1)
  })
})

describe('a key', () => {
  it('is secret in any disguise', () => {
    fc.assert(
      fc.property(disguised, (key) => {
        expect(isSecretKey(key), key).toBe(true)
      }),
      { numRuns: runs(200) },
    )
  })

  it('may be anything', () => {
    fc.assert(
      fc.property(hostileText, (key) => {
        isSecretKey(key)
      }),
    )
  })
})

describe('an endpoint', () => {
  it('holds no value of a secret key, in any disguise, after any separator, however often', () => {
    const pair = fc.record({ key: disguised, value: secretValue, separator: fc.constantFrom('?', '&', ';', '#') })
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 5 }), (pairs) => {
        const changes = newChanges()
        const query = pairs.map(({ separator, key, value }) => `${separator}page=1&${key}=${value}`).join('')
        const redacted = redactEndpoint(`/v1/jobs${query}`, changes)
        expect(redacted).not.toContain(VALUE)
        expect(changes.redacted).toBe(pairs.length)
        for (const { key } of pairs) expect(redacted).toContain(`${key}=${REDACTED}`)
      }),
      { numRuns: runs(200) },
    )
  })

  it('is otherwise as the client sent it', () => {
    const urls = [
      '/',
      '/v1/jobs',
      '/v1/jobs?prefix=web&page=2',
      '/a;b=1#c',
      '/token/7',
      '/?',
      '/?password',
      '/?password=',
    ]
    urls.push('/%zz?%zz=%', '//?&&==', '*', 'http://host/x?y=z')
    for (const url of urls) {
      const changes = newChanges()
      expect(redactEndpoint(url, changes)).toBe(url)
      expect(changes.redacted).toBe(0)
    }
  })

  it('keeps all that is not secret of any text', () => {
    fc.assert(
      fc.property(hostileText, (url) => {
        const changes = newChanges()
        const redacted = redactEndpoint(url, changes)
        if (changes.redacted === 0) expect(redacted).toBe(url)
      }),
    )
  })
})

describe('an error', () => {
  const around = fc.constantFrom(
    (key: string, value: string) => `Route GET:/login?next=1&${key}=${value}&page=2 not found`,
    (key: string, value: string) => `Invalid query: ${key}=${value}`,
    (key: string, value: string) => `url: "/x?${key}=${value}"`,
    (key: string, value: string) => `failed with ${key}: ${value} at step 2`,
    (key: string, value: string) => `failed with ${key} = '${value}'`,
    (key: string, value: string) => `{"a":1,"${key}":"${value}","b":"c"}`,
    (key: string, value: string) => `{"a":1,"${key}": "with \\"quotes\\" ${value}", "b": 2}`,
    (key: string, value: string) => JSON.stringify(JSON.stringify({ a: 1, [key]: `two words ${value}` })),
    (key: string, value: string) => `{ '${key}' => '${value}' }`,
    (key: string, value: string) => `{ ${key}: '${value}', b: 2 }`,
    (key: string, value: string) => `${key}=ab,cd"ef}${value}`,
    (key: string, value: string) => `${'x='.repeat(100)}${key}=${value}`,
  )

  it('holds no value of a secret key, wherever in it that key stands', () => {
    const names = fc.constantFrom(...SECRETS.flatMap((words) => [words.join('_'), words.join('-').toUpperCase()]))
    fc.assert(
      fc.property(around, names, (text, key) => {
        const changes = newChanges()
        expect(redactText(text(key, VALUE), 'x', changes)).not.toContain(VALUE)
        expect(changes.redacted).toBe(1)
      }),
      { numRuns: runs(100) },
    )
  })

  it('holds no value of a secret key in disguise', () => {
    fc.assert(
      fc.property(disguised, (key) => {
        const text = `Route GET:/login?${key}=${VALUE}&page=2 not found`
        expect(redactText(text, 'x', newChanges())).toBe(`Route GET:/login?${key}=${REDACTED}&page=2 not found`)
      }),
      { numRuns: runs(100) },
    )
  })

  it('holds nothing of a header that has spaces in its value', () => {
    for (const name of ['Cookie', 'set-cookie', 'Authorization', 'proxy-authorization']) {
      const text = `${name}: Digest a="b", c="${VALUE}"; d=${VALUE} ${VALUE}\nHost: example`
      expect(redactText(text, 'x', newChanges())).toBe(`${name}: ${REDACTED}\nHost: example`)
    }
    expect(redactText(`token: Bearer ${VALUE} refused`, 'x', newChanges())).toBe(`token: ${REDACTED} refused`)
  })

  it('is otherwise as it was', () => {
    const texts = [
      'Permission denied',
      'Cannot read properties of undefined (reading: id)',
      'a=b: c',
      'password',
      'token:',
    ]
    texts.push('body/name must NOT have fewer than 1 characters', 'at 12:30, ratio 1:2', '')
    for (const text of texts) expect(redactText(text, 'x', newChanges())).toBe(text)
  })

  it('is otherwise as it was, whatever it is', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const changes = newChanges()
        const redacted = redactText(text, 'x', changes)
        if (changes.redacted === 0) expect(redacted).toBe(text)
      }),
    )
  })
})

describe('an annotation', () => {
  it('holds no value of a secret key in any disguise', () => {
    fc.assert(
      fc.property(disguised, fc.boolean(), (key, isDeep) => {
        const annotations = new Annotations(newChanges(), ANNOTATION_BOUNDS)
        annotations.add(isDeep ? { order: [{ [key]: VALUE }] } : { [key]: VALUE })
        expect(annotations.toJson()).not.toContain(VALUE)
      }),
    )
  })
})
