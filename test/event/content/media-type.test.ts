import fc from 'fast-check'
import { expect, it } from 'vitest'
import { kindOf, mediaTypeOf } from '../../../src/event/content/media-type.js'
import { hostileText } from '../../support/hostile.js'

it('a media type is read without regard to case and parameters', () => {
  const headers = {
    'application/json; charset=utf-8': 'application/json',
    'Application/Problem+JSON;x="a/b"': 'application/problem+json',
    ' text/plain ': 'text/plain',
    'multipart/form-data; boundary=x': 'multipart/form-data',
    'application/vnd.x+json;': 'application/vnd.x+json',
  }
  for (const [header, expected] of Object.entries(headers)) expect(mediaTypeOf(header)).toBe(expected)
})

it('a header that holds no media type, or one that nobody uses, tells none', () => {
  const headers = ['', ';', 'json', 'application/', '/json', 'a/b/c', 'text/plain, text/html', 'te xt/plain', 'text/é']
  headers.push(`text/${'x'.repeat(100)}`, 'text/"x"', 'text/x\nomitted')
  for (const header of headers) expect(mediaTypeOf(header), header).toBeUndefined()
  expect(mediaTypeOf(undefined)).toBeUndefined()
})

it('a media type is short and safe to write, whatever the header', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        hostileText.map((text) => `text/${text};${text}`),
      ),
      (header) => {
        expect(mediaTypeOf(header) ?? 'a/b').toMatch(/^[^\s"\\\p{C}]{3,100}$/u)
      },
    ),
  )
})

it('a body of a media type is read as what it is', () => {
  const kinds = {
    json: ['application/json', 'text/json', 'application/problem+json', 'application/vnd.x+json'],
    form: ['application/x-www-form-urlencoded'],
    text: ['text/plain', 'text/html', undefined],
    multipart: ['multipart/form-data', 'multipart/mixed'],
    other: [
      'application/jsonp',
      'application/x-ndjson',
      'image/png',
      'application/octet-stream',
      'application/xml',
      'text/xml',
    ],
  }
  for (const [kind, names] of Object.entries(kinds)) for (const name of names) expect(kindOf(name), name).toBe(kind)
})
