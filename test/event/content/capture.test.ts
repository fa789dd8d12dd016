import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BodyFacts, Capture, type CaptureSettings } from '../../../src/event/content/capture.js'
import { BOUNDS } from '../../../src/event/limits.js'
import { LONGEST_TEXT } from '../../../src/redact/limits.js'
import { Redactor } from '../../../src/redact/redactor.js'
import { newChanges } from '../../support/changes.js'
import { hostileText } from '../../support/hostile.js'

const SETTINGS: CaptureSettings = {
  maxBodyBytes: 65_536,
  requestHeaders: [],
  responseHeaders: [],
  maxAnnotations: 16,
  maxAnnotationBytes: 4096,
  maxChanges: 64,
  maxChangesBytes: 8192,
}
const JSON_TYPE = 'application/json; charset=utf-8'

interface Given extends Partial<BodyFacts> {
  maxBodyBytes?: number
  marks?: ReadonlySet<string>
  redactor?: Redactor
}

function capture(side: 'request' | 'response', body: unknown, given: Given) {
  const { maxBodyBytes = SETTINGS.maxBodyBytes, marks = null, redactor, ...known } = given
  const facts = { contentType: undefined, contentEncoding: undefined, bytes: undefined, ...known }
  const changes = newChanges(redactor)
  const subject = new Capture({ ...SETTINGS, maxBodyBytes })
  const json =
    side === 'request'
      ? subject.requestBody(body, facts, marks, changes)
      : subject.responseBody(body, facts, marks, changes)
  const event: { body?: unknown } = JSON.parse(`{"x":0${json}}`)
  return { json, changes, body: event.body, left: changes.omitted?.[`${side}.body`] }
}

const request = (body: unknown, given: Given = {}) => capture('request', body, given)
const response = (payload: unknown, given: Given = {}) => capture('response', payload, given)

describe('the body of a request', () => {
  it('is whatever a parser made of JSON', () => {
    for (const value of [{ a: [1, null] }, [], [[]], 'text', '', '42', 0, false, null, 1.5]) {
      expect(request(value, { contentType: JSON_TYPE })).toMatchObject({ body: value, left: undefined })
    }
  })

  it('is nothing when there is none', () => {
    for (const value of [undefined, null, '', Buffer.alloc(0)]) {
      const { json, changes } = request(value, { contentType: 'text/plain' })
      expect([json, changes.omitted]).toEqual(['', undefined])
    }
    expect(request(undefined, { contentType: JSON_TYPE }).json).toBe('')
  })

  it('is read when a parser hands it on as it was, in a text or in bytes', () => {
    const text = '{"password":"x","a":1}'
    for (const body of [text, Buffer.from(text), Buffer.from(`\ufeff${text}`)]) {
      for (const contentType of [JSON_TYPE, 'text/plain']) {
        expect(request(body, { contentType }).body).toEqual({ password: '[REDACTED]', a: 1 })
      }
    }
    expect(request('{"password":"x"', { contentType: JSON_TYPE, bytes: 15 }).left).toBe(
      'not JSON; application/json; 15 bytes',
    )
  })

  it('is what a parser made of any other media type, where that is plain', () => {
    const contentType = 'application/yaml'
    expect(request({ a: 1, pin: 2 }, { contentType }).body).toEqual({ a: 1, pin: '[REDACTED]' })
    expect(request(new Map(), { contentType }).body).toBe('[Map]')
  })

  it('is left out when it is in parts, whatever a parser made of them', () => {
    const contentType = 'multipart/form-data; boundary=x'
    for (const body of [undefined, null, { file: Buffer.from('x') }, 'text', Buffer.from('x')]) {
      expect(request(body, { contentType, bytes: 5000 })).toMatchObject({
        json: '',
        left: 'multipart; multipart/form-data; 5000 bytes',
      })
    }
    expect(request(undefined, { contentType, bytes: 0 }).left).toBeUndefined()
  })

  it('is a text where whoever decompressed it left the header there, and left out where nobody did', () => {
    const encoded = { contentType: 'text/plain', contentEncoding: 'gzip', bytes: 30 }
    expect(request('hello', encoded).body).toBe('hello')
    expect(request({ a: 1 }, { ...encoded, contentType: JSON_TYPE }).body).toEqual({ a: 1 })
    expect(request(gzipSync('hello').toString(), encoded).left).toBe('compressed; text/plain; 30 bytes')
  })

  it('has what its schema marks redacted', () => {
    const marks = new Set(['nickname'])
    expect(request({ 'Nick-Name': 'x' }, { contentType: JSON_TYPE, marks }).body).toEqual({ 'Nick-Name': '[REDACTED]' })
    expect(response('nickname=x', { contentType: 'text/plain', marks }).body).toBe('nickname=[REDACTED]')
    expect(response('[{"nick_name":{}}]', { contentType: JSON_TYPE, marks }).body).toEqual([
      { nick_name: '[REDACTED]' },
    ])
  })
})

describe('the body of a reply', () => {
  it('is any JSON value, from a text or from bytes', () => {
    for (const value of [{ a: [1, null] }, [], 'text', '', 0, false, null]) {
      const text = JSON.stringify(value)
      const bytes = new TextEncoder().encode(`x${text}`).subarray(1)
      for (const contentType of [JSON_TYPE, 'application/problem+json', 'Application/Vnd.X+JSON']) {
        for (const payload of [text, Buffer.from(text), bytes])
          expect(response(payload, { contentType }).body).toEqual(value)
      }
    }
  })

  it('is nothing when there is none', () => {
    for (const payload of [undefined, null, '', Buffer.alloc(0)]) {
      const { json, changes } = response(payload, { contentType: JSON_TYPE })
      expect([json, changes.omitted]).toEqual(['', undefined])
    }
  })

  it('is a text, without its secrets, and no plain text where it is JSON', () => {
    expect(response('password=x é', { contentType: 'text/html' })).toMatchObject({ body: 'password=[REDACTED] é' })
    expect(response('{"pass\\u0077ord":"x"}', { contentType: 'text/plain' }).body).toEqual({ password: '[REDACTED]' })
    expect(response('{"pass\\u0077ord":"x"}').body).toEqual({ password: '[REDACTED]' })
    expect(response('[not JSON', { contentType: 'text/plain' }).body).toBe('[not JSON')
    expect(response('42').body).toBe('42')
  })

  it('is the fields of a form, one that comes twice with both its values', () => {
    const { body } = response('a=1&a=2&a=3&pin=4&__proto__=5&b=%C3%A9+', {
      contentType: 'application/x-www-form-urlencoded',
    })
    expect(Object.entries(Object(body))).toEqual([
      ['a', ['1', '2', '3']],
      ['pin', '[REDACTED]'],
      ['__proto__', '5'],
      ['b', 'é '],
    ])
  })

  it('is left out, and says what it is, where it cannot be read', () => {
    const png = Buffer.from([0x89, 0x50])
    const cases: Array<[unknown, Given, string]> = [
      [png, { contentType: 'image/png' }, 'binary; image/png; 2 bytes'],
      [png, {}, 'binary; 2 bytes'],
      [png, { contentType: 'garbage' }, 'binary; 2 bytes'],
      [png, { contentType: 'text/plain' }, 'not text; text/plain; 2 bytes'],
      [png, { contentType: JSON_TYPE }, 'not text; application/json; 2 bytes'],
      ['<a/>', { contentType: 'application/xml' }, 'other; application/xml; 4 bytes'],
      ['{"password":"x"', { contentType: JSON_TYPE }, 'not JSON; application/json; 15 bytes'],
      ['--x', { contentType: 'multipart/mixed' }, 'multipart; multipart/mixed; 3 bytes'],
      [
        gzipSync('x'),
        { contentType: JSON_TYPE, contentEncoding: 'gzip', bytes: 21 },
        'compressed; application/json; 21 bytes',
      ],
      ['x', { contentType: 'text/plain', contentEncoding: ' BR ' }, 'compressed; text/plain; 1 bytes'],
      [Readable.from(['x']), { contentType: 'text/csv' }, 'stream; text/csv'],
      [new Response('x').body, { contentType: 'text/csv', bytes: 1 }, 'stream; text/csv; 1 bytes'],
      [new Response('x'), {}, 'stream'],
      ['x'.repeat(262_145), { contentType: JSON_TYPE }, 'too large; application/json; 262145 bytes'],
      [Buffer.alloc(262_145), { contentType: 'text/plain' }, 'too large; text/plain; 262145 bytes'],
      [Buffer.from('é'.repeat(200_000)), { contentType: 'text/plain' }, 'too large; text/plain; 400000 bytes'],
    ]
    for (const [payload, given, expected] of cases) {
      const { json, left } = response(payload, given)
      expect([json, left]).toEqual(['', expected])
    }
    expect(response('x', { contentType: 'text/plain', contentEncoding: 'Identity' }).body).toBe('x')
  })

  it('is not read from a stream', () => {
    const stream = Readable.from(['x'])
    response(stream)
    request(stream)
    expect([stream.readableFlowing, stream.readableDidRead]).toEqual([null, false])
  })
})

describe('a body that is too long', () => {
  it('is cut to valid JSON of the same kind, and says how much of how much is kept', () => {
    const items = Array.from({ length: 100 }, (_, index) => ({ index, pin: 'x' }))
    const { body, changes } = response(JSON.stringify(items), { contentType: JSON_TYPE, maxBodyBytes: 1000 })
    expect(Array.isArray(body)).toBe(true)
    expect(changes.truncated).toEqual({
      'response.body': { bytes: JSON.stringify(items).length, kept: JSON.stringify(body).length },
    })
    const onTheWire = request(items, { contentType: JSON_TYPE, maxBodyBytes: 1000, bytes: 7 })
    expect(onTheWire.changes.truncated?.['request.body']?.bytes).toBe(7)
    expect(onTheWire.body).toEqual(body)
  })

  it('is read whole first where it is a text, up to four times what is kept', () => {
    const text = `{"pad":"${'x'.repeat(70_000)}","password":"hunter2"}`
    expect(response(text, { contentType: JSON_TYPE, maxBodyBytes: 20_000 }).body).toEqual({ pad: 'x'.repeat(19_990) })
    expect(response(text, { contentType: JSON_TYPE, maxBodyBytes: 1000 }).left).toBe(
      `too large; application/json; ${text.length} bytes`,
    )
  })

  it('is cut between two characters where it is a text', () => {
    const { json, body, changes } = response('é😀\n'.repeat(100), { contentType: 'text/plain', maxBodyBytes: 100 })
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(',"body":'.length + 100)
    expect('é😀\n'.repeat(100).startsWith(String(body))).toBe(true)
    expect(changes.truncated).toEqual({ 'response.body': { bytes: 700, kept: Buffer.byteLength(String(body)) } })
  })

  it('names the texts in it that are too long to be searched', () => {
    const long = 'x'.repeat(LONGEST_TEXT + 1)
    const { body, changes } = request([long, long], { contentType: JSON_TYPE })
    expect(body).toEqual(['[too long]', '[too long]'])
    expect(changes.omitted).toEqual({ 'request.body.*': 'too long; 2 texts' })
  })
})

describe('any body', () => {
  const type = fc.constantFrom(JSON_TYPE, 'text/plain', 'application/x-www-form-urlencoded', 'image/png', undefined)
  const body = fc.oneof(
    hostileText,
    fc.json(),
    hostileText.map((text) => Buffer.from(text)),
    hostileText.map((text) => JSON.stringify({ [text]: [text] })),
    fc.uint8Array(),
    fc.anything(),
  )

  it('is valid JSON within its bound, and what is not there is marked', () => {
    fc.assert(
      fc.property(body, type, fc.integer({ min: 64, max: 2000 }), (value, contentType, maxBodyBytes) => {
        for (const { json, changes } of [
          request(value, { contentType, maxBodyBytes }),
          response(value, { contentType, maxBodyBytes }),
        ]) {
          expect(Buffer.byteLength(json)).toBeLessThanOrEqual(',"body":'.length + maxBodyBytes)
          expect(json).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Surrogate}/u)
          if (changes.isAscii) expect(Buffer.byteLength(json)).toBe(json.length)
          expect(JSON.stringify(changes.omitted ?? {})).toMatch(/^[ -~]{2,200}$/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('holds no value of a listed key, wherever it is cut', () => {
    const VALUE = 'hunter2'
    fc.assert(
      fc.property(fc.array(hostileText, { maxLength: 6 }), fc.integer({ min: 64, max: 500 }), (keys, maxBodyBytes) => {
        const value = keys.reduce<object>((inner, key) => ({ [key]: inner, list: [inner] }), { token: VALUE })
        const text = JSON.stringify(value)
        const form = new URLSearchParams(keys.map((key): [string, string] => [`${key}[password]`, VALUE])).toString()
        for (const { json } of [
          request(value, { contentType: JSON_TYPE, maxBodyBytes }),
          response(text, { contentType: JSON_TYPE, maxBodyBytes }),
          response(Buffer.from(text), { contentType: 'text/plain', maxBodyBytes }),
          response(form, { contentType: 'application/x-www-form-urlencoded', maxBodyBytes }),
        ]) {
          expect(json).not.toContain(VALUE)
        }
      }),
    )
  })
})

describe('headers', () => {
  function headers(names: string[], values: Record<string, unknown>, redactor?: Redactor) {
    const changes = newChanges(redactor)
    const subject = new Capture({ ...SETTINGS, requestHeaders: names, responseHeaders: names })
    const json = subject.headers('response', values, changes)
    const event: { headers?: unknown } = JSON.parse(`{"x":0${json}}`)
    return { json, changes, headers: event.headers }
  }

  it('are those that are let in, and no others', () => {
    const given = { etag: '"x"', age: 7, 'x-list': ['a', 2], other: 'x', link: undefined, 'x-odd': { toString: 'x' } }
    const names = ['age', 'etag', 'x-list', 'link', 'x-odd', 'constructor', 'absent']
    expect(headers(names, given).headers).toEqual({ age: '7', etag: '"x"', 'x-list': 'a, 2' })
    expect(headers(['absent'], given).json).toBe('')
    expect(headers([], given).json).toBe('')
  })

  it('are redacted by name even when they are let in', () => {
    const given = { authorization: 'Bearer x', cookie: 'x', 'set-cookie': ['x', 'y'] }
    const { headers: written, changes } = headers(Object.keys(given), given)
    expect(written).toEqual({ authorization: '[REDACTED]', cookie: '[REDACTED]', 'set-cookie': '[REDACTED]' })
    expect(changes.redacted).toBe(3)
  })

  it('are redacted by what is in their values', () => {
    const { headers: written } = headers(['location'], { location: '/cb?code=1&access_token=x' })
    expect(written).toEqual({ location: '/cb?code=1&access_token=[REDACTED]' })
  })

  it('are bounded, each and in number', () => {
    const { headers: written, changes } = headers(['x-long', 'x-huge'], {
      'x-long': 'x'.repeat(2000),
      'x-huge': 'x'.repeat(LONGEST_TEXT + 1),
    })
    expect(written).toEqual({ 'x-long': 'x'.repeat(1024) })
    expect(changes.truncated).toEqual({ 'response.headers.x-long': { bytes: 2000, kept: 1024 } })
    expect(changes.omitted).toEqual({ 'response.headers.x-huge': 'too long; 262145 bytes' })
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'x']))
    expect(Object.keys(Object(headers(Object.keys(many), many).headers))).toHaveLength(BOUNDS.headers)
  })
})

describe('a redactor', () => {
  it('that fails costs the part that it was used for, which says so', () => {
    class Failing extends Redactor {
      override secrecyOf(): never {
        throw new RangeError('no memory')
      }
    }
    const { json, left } = request({ token: 'x' }, { contentType: JSON_TYPE, redactor: new Failing() })
    expect([json, left]).toEqual(['', 'redaction failed'])
  })

  it('that is to leave out a part leaves no trace of it', () => {
    const omit = ['request.body', 'response.body'] as const
    const redactor = new Redactor({ keys: [], mode: 'mask', secret: undefined, keyId: '', omit })
    for (const { json, changes } of [request('x', { redactor }), response(Readable.from([]), { redactor })]) {
      expect([json, changes.omitted]).toEqual(['', undefined])
    }
  })
})
