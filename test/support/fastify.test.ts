import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KNOWS, version } from './fastify.js'

const { version: installed }: { version: string } = JSON.parse(
  readFileSync(new URL('../../node_modules/fastify/package.json', import.meta.url), 'utf8'),
)

describe('the suite', () => {
  it('runs on the Fastify that it was asked to run on', () => {
    expect(version).toBe(process.env.AUDIT_TEST_FASTIFY_VERSION ?? installed)
  })

  it.runIf(version === installed)('leaves out nothing on the Fastify that is installed', () => {
    expect(Object.entries(KNOWS).filter(([, isKnown]) => !isKnown)).toEqual([])
  })
})
