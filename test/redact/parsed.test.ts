import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChangeReport } from '../../src/redact/change-report.js'
import { RedactedJson } from '../../src/redact/redacted-json.js'
import { REDACTED, Redactor } from '../../src/redact/redactor.js'
import { hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'

const redactor = new Redactor()

function write(value: unknown, limit: number, isParsed: boolean) {
  const changes = new ChangeReport(redactor)
  const writer = new RedactedJson(limit, changes)
  const json = writer.write(value, isParsed)
  return { json, redacted: changes.redacted, kept: writer.kept, walked: writer.walked }
}

const text = fc.oneof(
  hostileText,
  fc.constantFrom('token', 'page', '__proto__', 'a:b', 'at 10:30', 'x=1', 'pin: 1234', 'registry.example.org/web:1.2'),
  fc.constantFrom('password=hunter2', 'X-Api-Key : abc', 'Bearer abc123', '4111111111111111', 'ada@example.org'),
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    text,
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('tree')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
  ),
}))

it('a parsed value is written like an equal value of the application', () => {
  fc.assert(
    fc.property(tree, fc.integer({ min: 0, max: 3000 }), (value, limit) => {
      const parsed: unknown = JSON.parse(JSON.stringify(value))
      expect(write(parsed, limit, true)).toEqual(write(parsed, limit, false))
    }),
    { numRuns: runs(100) },
  )
})

it('a key that holds the URL of a secret is redacted, although it was already written in full', () => {
  const url = '/reset/abcdef'
  const changes = new ChangeReport(redactor)
  const writeKey = () => new RedactedJson(1000, changes).write({ [url]: 1 }, true)
  expect(writeKey()).toBe('{"/reset/abcdef":1}')
  changes.redactor.endpoint(url, '/reset/:token', changes)
  expect(writeKey()).toBe(`{"/reset/${REDACTED}":1}`)
})
