import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable } from '../../examples/support/show.js'

describe('what the demo shows of a trail', () => {
  it('holds nothing that a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      }),
    )
    expect(printable('\u001b[2J\u009b1A\r\u202e\u2028\ud800')).toBe('\\u001b[2J\\u009b1A\\u000d\\u202e\\u2028\\ud800')
  })

  it('leaves ordinary text as it is', () => {
    expect(printable('GET /v1/jobs?name=Zoë – "x"')).toBe('GET /v1/jobs?name=Zoë – "x"')
  })
})
