import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { isValidJson } from '../../../src/redact/search/json-check.js'
import { runs } from '../../support/runs.js'
import { redactUrl, redactValue } from '../../support/secrets.js'

afterEach(() => {
  vi.restoreAllMocks()
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a text', () => {
  it('is JSON when it can be parsed', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 2, '\t'), (json, space) => {
        expect(isValidJson(json), json).toBe(true)
        const spaced = `\r\n${JSON.stringify(JSON.parse(json), null, space)} \t`
        expect(isValidJson(spaced), spaced).toBe(true)
      }),
    )
  })

  it('is not JSON when it cannot be parsed, whatever the change to valid JSON was', () => {
    const piece = fc.constantFrom(
      ...'{}[],:"\\ \n\t0-1.eE+truefalsn/u',
      '""',
      '"a":',
      '\\u00e9',
      '\\x',
      '\u0001',
      '\u00a0',
    )
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.array(piece, { maxLength: 3 }),
        (json, at, less, more) => {
          const start = at % (json.length + 1)
          const changed = json.slice(0, start) + more.join('') + json.slice(start + less)
          expect(isValidJson(changed), changed).toBe(parses(changed))
        },
      ),
      { numRuns: runs(500) },
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('')
        expect(isValidJson(text), text).toBe(parses(text))
      }),
      { numRuns: runs(2000) },
    )
  })

  it('costs no error when it only looks like JSON, for a URL holds thousands of those', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const odd = '%22&%5B%22%5D&'.repeat(500)
    expect(redactUrl(`/x?${odd}token=a`).text).toBe(`/x?${odd}token=${REDACTED}`)
    expect(redactValue(JSON.stringify(['"', '["]', '""', 'token=a'])).text).toBe(
      JSON.stringify(['"', '["]', '""', `token=${REDACTED}`]),
    )
    expect(parse.mock.results.filter(({ type }) => type === 'throw')).toEqual([])
  })
})
