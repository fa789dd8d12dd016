import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../src/redact/redactor.js'
import { newChanges } from '../support/changes.js'
import { hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'
import { CARDS, redactUrl, redactValue, TOKEN } from '../support/secrets.js'

/** Nothing else in a line holds it. */
const NEEDLE = 'hunter2xyzzy'

const key = fc.constantFrom(
  ...['password', 'NEW_PASSWORD', 'accessToken', 'x-api-key', 'client_secret', 'user[pwd]', 'auth.token', 'sessionId'],
  ...['aws_secret_access_key', 'X-Amz-Signature', 'X-Goog-Signature', 'sig', 'set-cookie', 'p%61ssword', 'cvv', 'otp'],
)

/** A secret with a clue to it, and the part that must not show. */
interface Secret {
  text: string
  needle: string
}

const byKey: fc.Arbitrary<Secret> = fc
  .tuple(
    key,
    fc.constantFrom(
      (name: string) => JSON.stringify({ page: 1, [name]: NEEDLE, next: 'x' }),
      (name: string) => JSON.stringify([{ a: { [name]: { deep: [NEEDLE, { b: NEEDLE }] } } }]),
      (name: string) => `https://example.org/cb?page=1&${name}=${NEEDLE}&next=x`,
      (name: string) => `/cb?${name}=${NEEDLE}#top`,
      (name: string) => `https://example.org/cb#page=1&${name}=${NEEDLE}`,
      (name: string) => `page=1&${name}=${NEEDLE}&next=x`,
    ),
  )
  .map(([name, write]) => ({ text: write(name), needle: NEEDLE }))

const byForm: fc.Arbitrary<Secret> = fc.oneof(
  fc.constantFrom(
    { text: `Bearer ${NEEDLE}`, needle: NEEDLE },
    { text: 'Basic dXNlcjpwYXNz', needle: 'dXNlcjpwYXNz' },
    { text: TOKEN, needle: 'eyJhbGciOiJIUzI1NiJ9' },
    { text: `-----BEGIN PRIVATE KEY-----\n${NEEDLE}\n-----END PRIVATE KEY-----`, needle: NEEDLE },
    { text: `https://ada:${NEEDLE}@example.org/x`, needle: NEEDLE },
  ),
  fc.constantFrom(...CARDS).map((card) => ({ text: card, needle: card })),
)

type Wrap = 'json' | 'encoding'

/** Up to three strings of JSON and two percent-encodings, in any order. */
const wraps: fc.Arbitrary<Wrap[]> = fc
  .shuffledSubarray(['json', 'json', 'json', 'encoding', 'encoding'] as const)
  .map((chosen) => [...chosen])

function wrapped(text: string, kinds: readonly Wrap[]): string {
  return kinds.reduce(
    (inner, kind) =>
      kind === 'json'
        ? JSON.stringify({ id: 7, inner, list: [null] })
        : `https://example.org/?page=1&next=${encodeURIComponent(inner)}`,
    text,
  )
}

describe('a secret', () => {
  it('is found in any wrapping of JSON in strings and encoded URLs', () => {
    fc.assert(
      fc.property(fc.oneof(byKey, byForm), wraps, ({ text, needle }, kinds) => {
        const whole = wrapped(text, kinds)
        const { text: clean, redacted } = redactValue(whole)
        expect(clean, whole).not.toContain(needle)
        expect(redacted).toBeGreaterThan(0)
        expect(clean).toContain('REDACTED')
        if (kinds.at(-1) === 'json') expect(JSON.parse(clean)).toMatchObject({ id: 7, list: [null] })
      }),
      { numRuns: runs(200) },
    )
  })

  it('is found in any parameter of an endpoint, encoded up to twice', () => {
    const encodings = fc.constantFrom(
      (text: string) => encodeURIComponent(text),
      (text: string) => encodeURIComponent(encodeURIComponent(text)),
      (text: string) => encodeURIComponent(text).replaceAll('%20', '+'),
    )
    fc.assert(
      fc.property(
        fc.oneof(byKey, byForm),
        encodings,
        fc.constantFrom('?', '&', ';', '#'),
        ({ text, needle }, encode, joint) => {
          const url = `/v1/jobs?page=1${joint}next=${encode(text)}&sort=name`
          const { text: clean, redacted } = redactUrl(url)
          expect(clean, url).not.toContain(needle)
          expect(redacted).toBeGreaterThan(0)
          // Fastify takes the text after `&` for a value of its own. A redacted value is encoded again, as a whole.
          const start = joint === '&' ? '/v1/jobs?page=1&next=' : '/v1/jobs?page='
          expect(clean.startsWith(start)).toBe(true)
          expect(clean.endsWith('&sort=name')).toBe(true)
        },
      ),
      { numRuns: runs(200) },
    )
  })

  it('is found whole, even if it holds characters that are separators elsewhere', () => {
    for (const rest of [';hunter2', '?hunter2', '#hunter2', ';x=hunter2', '/hunter2', '=hunter2']) {
      for (const [url, clean] of [
        [`/x?password=a${rest}&b=c`, `/x?password=${REDACTED}&b=c`],
        [`/x;password=a${rest}&b=c`, `/x;password=${REDACTED}&b=c`],
        [`/x?y;pin=1${rest}&b=c`, `/x?y;pin=${REDACTED}&b=c`],
        [`/x?y=z;pin=1${rest}&b=c`, `/x?y=z;pin=${REDACTED}&b=c`],
        [`/x?next=/y?token=a${rest}&b=c`, `/x?next=/y?token=${REDACTED}&b=c`],
      ] as const) {
        expect(redactUrl(url)).toEqual({ text: clean, redacted: 1 })
      }
      const json = `{"password":"a${rest}"}`
      expect(redactUrl(`/x?filter=${encodeURI(json)}`).text).not.toContain('hunter2')
    }
    expect(redactUrl('/x/password=a&hunter2;hunter2/y')).toEqual({ text: `/x/password=${REDACTED}/y`, redacted: 1 })
  })

  it('is found in the path of an endpoint', () => {
    for (const [text, clean] of [
      [`/files/${TOKEN}/x`, `/files/${REDACTED}/x`],
      ['/cards/4111-1111-1111-1111', `/cards/${REDACTED}`],
      ['/cards/4111%201111%201111%201111/x', `/cards/${REDACTED}/x`],
      ['/a/password=hunter2/b', `/a/password=${REDACTED}/b`],
      ['/proxy/https%3A%2F%2Fada%3Apw%40host', `/proxy/https%3A%2F%2F${REDACTED}%40host`],
    ] as const) {
      expect(redactUrl(text)).toEqual({ text: clean, redacted: 1 })
    }
    expect(redactUrl('/v1/token:refresh')).toEqual({ text: '/v1/token:refresh', redacted: 0 })
  })

  it('is found in running text among anything', () => {
    fc.assert(
      fc.property(hostileText, byForm, hostileText, (before, { text, needle }, after) => {
        fc.pre(!/[0-9a-f.+\- ]$/i.test(before) && !/^[0-9a-f+\- ]/i.test(after) && !before.includes('-----BEGIN'))
        const changes = newChanges()
        expect(changes.redactor.text(`${before} | ${text} | ${after}`, 'x', changes)).not.toContain(needle)
      }),
    )
  })
})

describe('a disguise', () => {
  const inStrings = JSON.stringify(JSON.stringify(`{"p\\u0061ssword":"${NEEDLE}"}`))

  it.each([
    ['an escape in a key, in JSON in two strings', inStrings],
    [
      'spaces that are encoded in an encoded URL',
      `https://example.org/?next=${encodeURIComponent(`/?token=two ${NEEDLE}`)}`,
    ],
    ['an encoding that is malformed elsewhere', `https://example.org/?next=%zz%3Ftoken%3D${NEEDLE}`],
    ['a key and its value in what should be a key', `/?a%26token%3D${NEEDLE}=1`],
  ])('hides nothing: %s', (_, text) => {
    expect(redactValue(text).text).not.toContain(NEEDLE)
    expect(redactUrl(`/x?q=${encodeURIComponent(text)}`).text).not.toContain(NEEDLE)
    if (text.startsWith('/')) expect(redactUrl(text).text).not.toContain(NEEDLE)
  })

  it('hides nothing by an encoding that is not a part of the secret', () => {
    expect(redactUrl('/?q=4111111111111111%41').text).toBe(`/?q=${REDACTED}%41`)
  })
})

describe('a value without quotes', () => {
  it.each([
    [`{"secret":1,"note":"Bearer ${NEEDLE}"`, NEEDLE],
    [`token=1,password="two ${NEEDLE} words"`, NEEDLE],
    [`token=1,password='two ${NEEDLE} words'`, NEEDLE],
    [`{\\"token\\":1,\\"password\\":\\"two ${NEEDLE}\\"`, NEEDLE],
    ['token=1,4111 1111 1111 1111 x', '1111'],
    ['token=1,4111-1111-1111-1111 x', '1111'],
    [`token=1,Basic dXNlcjpwYXNz`, 'dXNl'],
  ])('does not end in the middle of another secret: %j', (text, needle) => {
    expect(redactValue(text).text).not.toContain(needle)
  })
})

describe('a value after a colon', () => {
  it.each([
    [`password: a&${NEEDLE}\nuser: ada`, `password: ${REDACTED}\nuser: ada`],
    [`passwords:\n  - a\n  - ${NEEDLE}\n\n  - b\nuser: ada`, `passwords:\n  ${REDACTED}\nuser: ada`],
    [`passwords:\r\n- a\r\n- ${NEEDLE}\r\nuser: ada`, `passwords:\r\n${REDACTED}\r\nuser: ada`],
    [`  secrets: \n    db:\n      x: ${NEEDLE}\n  user: ada`, `  secrets: \n    ${REDACTED}\n  user: ada`],
    [`  secrets:\n    db:\n      x: ${NEEDLE}\n  user: ada`, `  secrets:\n    ${REDACTED}\n  user: ada`],
    [`- secrets:\n    - ${NEEDLE}`, `- secrets:\n    ${REDACTED}`],
    [`"password":\n  "two ${NEEDLE}",\n  "user": "ada"`, `"password":\n  "${REDACTED}",\n  "user": "ada"`],
  ])('ends where YAML or JSON ends it: %j', (text, clean) => {
    expect(redactValue(text)).toEqual({ text: clean, redacted: 1 })
  })
})

describe('JSON in a string', () => {
  it('stays JSON, and all that is not secret in it stays as it was written', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent)
        fc.pre(/["}\]]$/.test(text)) // a number alone, which may be a card's, is a value that is replaced whole
        const { text: clean, redacted } = redactValue(text)
        expect(() => JSON.parse(clean)).not.toThrow()
        if (redacted === 0) expect(clean).toBe(text)
      }),
    )
    const text = '{ "big": 12345678901234567890, "a": 1, "a": 1.0, "token" : {"x": ["}"]}, "u": "\\u00e9" }'
    expect(redactValue(text).text).toBe(text.replace('{"x": ["}"]}', `"${REDACTED}"`))
    expect(redactValue('[1, 4111111111111111]').text).toBe(`[1, "${REDACTED}"]`)
  })

  it('is searched at any depth, and whatever else its key is', () => {
    const deep = `${'{"a":['.repeat(1000)}{"__proto__":{"token":"${NEEDLE}"}}${']}'.repeat(1000)}`
    expect(redactValue(deep)).toEqual({ text: deep.replace(NEEDLE, REDACTED), redacted: 1 })
    expect(redactValue(`{"token":1,"token":"${NEEDLE}"}`).text).toBe(`{"token":"${REDACTED}","token":"${REDACTED}"}`)
    expect(redactValue(`{"p\\u0061ssword":"${NEEDLE}"}`).text).toBe(`{"p\\u0061ssword":"${REDACTED}"}`)
    expect(redactValue(`{"Bearer ${NEEDLE}":1}`).text).toBe(`{"Bearer ${REDACTED}":1}`)
  })

  it.each([
    `{"token":"${NEEDLE}"`,
    `{"a":{"token": { "x": "${NEEDLE}", "y": [1, "}", "${NEEDLE}"] }}`,
    `{'token': '${NEEDLE}'}`,
    `prefix {"token":"${NEEDLE}"} suffix`,
    `)]}',\n{"token":"${NEEDLE}"}`,
    `{"token":"${NEEDLE}"}\n{"token":"${NEEDLE}"}`,
    `{"a":"\\x","token":"two ${NEEDLE} words"}`,
  ])('is searched as running text when it is none: %j', (text) => {
    expect(redactValue(text).text).not.toContain(NEEDLE)
  })

  it('is searched as running text when it is too long, or too deep in strings', () => {
    const long = JSON.stringify({ padding: 'x'.repeat(300_000), token: NEEDLE })
    expect(redactValue(long).text).not.toContain(NEEDLE)
    let nested = JSON.stringify({ token: NEEDLE })
    for (let depth = 0; depth < 5; depth++) nested = JSON.stringify({ nested })
    // Its quotes have too many backslashes before them by then; those of one string fewer have not.
    expect(redactValue(JSON.parse(nested).nested).text).not.toContain(NEEDLE)
  })
})

describe('a text beyond the length that is searched', () => {
  const LIMIT = 262_144

  it.each([
    ['a key', (secret: string) => `password=${secret}`],
    ['a token', () => TOKEN],
    ['a card', () => '4111 1111 1111 1111'],
    ['credentials', (secret: string) => `Bearer ${secret}`],
    ['user information', (secret: string) => `postgres://ada:${secret}@db`],
  ])('shows nothing of %s that the cut goes through', (_, write) => {
    const secret = write('hunter2')
    for (let place = 1; place < secret.length; place++) {
      const changes = newChanges()
      const text = `${'x '.repeat(LIMIT / 2 - 40)}${'y'.repeat(79 - place)} ${secret} ${'z '.repeat(100)}`
      const clean = changes.redactor.text(text, 'response.error', changes)
      expect(clean.slice(-60)).not.toMatch(/hun|eyJ|\d|ada/)
      expect(clean).not.toContain('z')
      expect(changes.truncated?.['response.error']?.bytes).toBe(text.length)
    }
  })
})
