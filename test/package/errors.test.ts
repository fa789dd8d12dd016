import { describe, expect, it } from 'vitest'
import * as errors from '../../src/errors.js'
import { BatchError } from '../../src/sinks/batch-error.js'
import { read, sources } from '../support/markdown.js'

interface Documented {
  code: string
  status: string
  name: string
}

/** What `docs/errors.md` says: a heading for each code, and below it `Status 503 · \`AuditNotRecorded\``. */
const documented: Documented[] = [
  ...read('docs/errors.md').matchAll(/^### `(FST_AUDIT_\w+)`\n\nStatus (\d{3}|none) · `(\w+)`/gm),
].map(([, code = '', status = '', name = '']) => ({ code, status, name }))

const thrown: Documented[] = Object.entries({ ...errors, BatchError }).flatMap(([name, value]) => {
  if (typeof value !== 'function' || !(value.prototype instanceof Error)) return []
  const error: unknown = Reflect.construct(value, [{}])
  if (!(error instanceof Error && 'code' in error)) throw new Error(`${name} has no code`)
  const status = 'statusCode' in error ? String(error.statusCode) : 'none'
  return [{ code: String(error.code), status, name }]
})

const byCode = (one: Documented, other: Documented): number => (one.code < other.code ? -1 : 1)

describe('docs/errors.md', () => {
  it('has every code, with its status and its name, and no other', () => {
    expect([...documented].sort(byCode)).toEqual([...thrown].sort(byCode))
  })

  it('says of every code when it happens and what to do', () => {
    const sections = read('docs/errors.md').split(/^### /m).slice(1)
    const short = sections.filter((section) => !/^When:/m.test(section) || !/^What to do:/m.test(section))
    expect(short.map((section) => section.split('\n')[0])).toEqual([])
  })
})

describe('the errors', () => {
  it('have a code each, all with the prefix', () => {
    const codes = thrown.map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
    expect(codes.filter((code) => !code.startsWith('FST_AUDIT_'))).toEqual([])
  })

  it('are made in src/errors.ts alone', () => {
    const elsewhere = sources().filter((file) => file !== 'src/errors.ts' && read(file).includes('@fastify/error'))
    expect(elsewhere).toEqual([])
  })
})
