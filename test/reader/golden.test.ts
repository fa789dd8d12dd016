import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readTrail, verifyTrail } from '../../src/index.js'
import { linesIn } from '../../src/reader/lines.js'
import { read } from '../support/markdown.js'
import { isPublishedEvent } from '../support/schema.js'
import { all } from './made.js'

/** Trails that servers of a version have written: they must be readable for ever. */
function golden(name: string): string {
  return fileURLToPath(new URL(`../golden/trail-${name}.jsonl`, import.meta.url))
}

function eventsOf(name: string): unknown[] {
  return [...linesIn(Buffer.from(read(`test/golden/trail-${name}.jsonl`)))].map((line) => JSON.parse(line.toString()))
}

/** What readers make of each exchange, in a few words. */
async function summary(name: string): Promise<string[]> {
  const trail = readTrail(golden(name))
  const exchanges = await all(trail)
  expect(trail.counts).toMatchObject({ foreign: 0, torn: 0, gaps: 0, files: 1 })
  return exchanges.map(({ auth, request, response, corrected, annotations, type }) => {
    const parts = [auth?.accessor_id, request?.operation, request?.endpoint, response?.status_code]
    const was = corrected === undefined ? '' : ` was ${corrected.status_code}`
    const order = annotations === undefined ? '' : ` order ${annotations.order}`
    return `${type ?? 'request'}: ${parts.join(' ')}${was}${order}`
  })
}

describe('a trail of 0.1.0', () => {
  it('is read in format json, proven, and valid by the schema of today', async () => {
    expect(await summary('0.1.0-json')).toEqual([
      'request: anonymous GET /v1/jobs/web?token=[REDACTED] 200',
      'request: u-2 DELETE /v1/jobs 403',
      'request: u-2 POST /v1/orders 200 order 42',
      'request: u-2 POST /v1/orders 500 was 200 order 42',
    ])
    const { problems, sealed, lines } = await verifyTrail([golden('0.1.0-json')])
    expect([problems, sealed]).toEqual([[], lines])
    for (const event of eventsOf('0.1.0-json')) expect(isPublishedEvent(event), JSON.stringify(event)).toBe(true)
  })

  it('is read in format rancher', async () => {
    expect(await summary('0.1.0-rancher')).toEqual([
      'request: system:unauthenticated GET /v1/jobs/web?token=[REDACTED] 200',
      'request: Bob DELETE /v1/jobs 403',
      'request: Bob POST /v1/orders 200',
      'request: Bob POST /v1/orders 500 was 200',
    ])
  })
})
