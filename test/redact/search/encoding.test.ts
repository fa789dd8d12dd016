import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { decode } from '../../../src/redact/search/encoding.js'
import { redactUrl, redactValue } from '../../support/secrets.js'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a percent-encoded text', () => {
  it('is decoded as by `decodeURIComponent`', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (text, more) => {
        const encoded = encodeURIComponent(text + more.toWellFormed())
        expect(decode(encoded)).toBe(text + more.toWellFormed())
        expect(decode(encoded.toLowerCase())).toBe(decodeURIComponent(encoded.toLowerCase()))
      }),
    )
  })

  it.each([
    ['%', '%'],
    ['%zz%41', '%zzA'],
    ['%4', '%4'],
    ['%FF%41', '%FFA'],
    ['%C3%A9%zz', 'é%zz'],
    ['%C3x%A9', '%C3x%A9'],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%2541', '%41'],
    ['%00', '\0'],
  ])('is decoded but for what is malformed: %s', (text, decoded) => {
    expect(decode(text)).toBe(decoded)
  })

  it('costs no error for each part that is malformed, for a URL holds thousands of them', () => {
    const decoder = vi.spyOn(globalThis, 'decodeURIComponent')
    const malformed = '&%'.repeat(1000)
    expect(redactUrl(`/x?${malformed}&token=a`).text).toBe(`/x?${malformed}&token=${REDACTED}`)
    expect(redactValue(`${malformed}&token=a`).text).toBe(`${malformed}&token=${REDACTED}`)
    expect(decoder.mock.results.filter(({ type }) => type === 'throw')).toEqual([])
  })
})
