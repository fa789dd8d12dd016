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
  return exchanges.map(({ auth, request, response, corrected, annotations, type, action, outcome, error, end }) => {
    const asked = [request?.operation, request?.endpoint, response?.status_code]
    const done = [action, outcome, error, end?.how]
    const was = corrected === undefined ? '' : `was ${corrected.status_code ?? corrected.error ?? 'else'}`
    const order = annotations?.order === undefined ? '' : `order ${annotations.order}`
    const parts = [auth?.accessor_id, ...asked, ...done, was, order]
    return `${type ?? 'request'}: ${parts.filter((part) => part !== undefined && part !== '').join(' ')}`
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

describe('a trail with actions, work, ends and corrections', () => {
  it('is read in format json, proven, and valid by the schema of today', async () => {
    expect(await summary('actions-json')).toEqual([
      'action: u-2 mail.send',
      'request: u-2 POST /v1/invoices/42/refund 202 invoice.refund failure',
      'request: u-2 DELETE /v1/jobs 403 job.delete denied',
      'request: anonymous GET /v1/broken 200 failed',
      'action: cron cron.tick success',
      'action: job file.write',
      'action: job report.export success',
      'action: job report.export failure disk full',
      'action: job report.send success FST_AUDIT_RESPONSE_WITHHELD was else',
    ])
    const { problems, sealed, lines } = await verifyTrail([golden('actions-json')])
    expect([problems, sealed]).toEqual([[], lines])
    for (const event of eventsOf('actions-json')) expect(isPublishedEvent(event), JSON.stringify(event)).toBe(true)
  })

  it('is read in format rancher, in which only requests have no action', async () => {
    expect(await summary('actions-rancher')).toEqual([
      'action: u-2 mail.send',
      'request: Bob POST /v1/invoices/42/refund 202',
      'request: Bob DELETE /v1/jobs 403',
      'request: system:unauthenticated GET /v1/broken 200 failed',
      'action: cron cron.tick success',
      'action: job file.write',
      'action: job report.export success',
      'action: job report.export failure disk full',
      'action: job report.send success FST_AUDIT_RESPONSE_WITHHELD was else',
    ])
  })

  it('says what was changed, what belongs to what, and where it came from', async () => {
    const [mail, refund] = await all(readTrail(golden('actions-json')))
    expect(refund).toMatchObject({
      targets: [{ type: 'invoice', id: '42' }],
      reason: 'the bank is closed',
      changes: [
        { path: '/state', before: 'paid', after: 'refunded' },
        { path: '/password', before: '[REDACTED]', after: '[REDACTED]' },
        { path: '/note', after: null },
        { path: '/items/0/sum', id: '1', before: 7, after: 0 },
      ],
    })
    const trace = refund?.request?.request_meta?.trace
    expect(trace).toMatch(/^00-/)
    expect(mail).toMatchObject({ parent: refund?.id, traceparent: trace, at: '2026-03-24T17:09:35.703Z' })
  })
})
