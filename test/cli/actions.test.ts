import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { csvRow } from '../../src/cli/csv.js'
import { Statistics } from '../../src/cli/statistics.js'
import { tableRow } from '../../src/cli/table.js'
import audit, { type TrailExchange } from '../../src/index.js'
import { endLine, eventLine, idOf, linesOf, temporaryDirectory, trailOf, workLines } from '../reader/made.js'
import { program } from './program.js'

const cli = await program()
const BOB = { accessorId: 'u-2', name: 'Bob' }
const INVOICE = { type: 'invoice', id: '42' }

/** The trail of a server that records one request with an action, one without, an event, and work that ends both ways. */
async function recorded(format: 'json' | 'rancher'): Promise<string> {
  const path = join(temporaryDirectory(), 'audit.log')
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'file', type: 'file', path, format }], identity: () => BOB })
  app.get('/plain', async () => 'ok')
  app.post('/invoices/:id/refund', async ({ audit }, reply) => {
    audit.action('invoice.refund')
    audit.target({ ...INVOICE, name: 'Invoice 42' })
    audit.outcome('denied', 'closed')
    await audit.record({ action: 'invoice.look', targets: INVOICE })
    return reply.code(409).send({ message: 'no' })
  })
  await app.inject('/plain')
  await app.inject({ method: 'POST', url: '/invoices/42/refund' })
  await app.audit.record({ action: 'cron.tick', outcome: 'success', reason: '"timestamp":"2026-03-24T17:00:00.000Z"' })
  await app.audit.run({ action: 'report.export', actor: { accessorId: 'job' } }, async () => 'done')
  const failing = app.audit.run({ action: 'report.export', targets: INVOICE }, () => Promise.reject(new Error('full')))
  await expect(failing).rejects.toThrow('full')
  await app.close()
  return path
}

function row(exchange: Partial<TrailExchange>): string {
  const options = { paint: (text: string) => text, columns: undefined }
  return tableRow({ id: idOf(1), timestamp: '2026-03-24T17:00:00.000Z', ...exchange }, options)
}

describe.each(['json', 'rancher'] as const)('what a server recorded of actions in format %s', (format) => {
  it('is found, and summed up', async () => {
    const path = await recorded(format)
    const found = async (...args: string[]): Promise<TrailExchange[]> => {
      const { stdout, stderr } = await cli.run('query', '--format', 'json', ...args, path)
      expect(stderr).toBe('')
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    }
    const isJson = format === 'json'
    const [event, refund] = await found('--target', 'invoice:42', '--actor', 'Bob')
    expect(event).toMatchObject({ type: 'action', action: 'invoice.look', targets: [INVOICE] })
    if (isJson) expect(refund).toMatchObject({ outcome: 'denied', reason: 'closed', response: { status_code: 409 } })
    const [request] = await found('--endpoint', '/invoices/*')
    expect(await found('--parent', String(request?.id))).toEqual([event])
    expect(await found('--outcome', 'failure')).toMatchObject([{ action: 'report.export', error: 'full' }])
    expect(await found('--action', 'report.*', '--actor', 'job')).toMatchObject([{ outcome: 'success' }])
    expect(await found('--action', '*', '--since', '1h')).toHaveLength(isJson ? 5 : 4)
    // Its bytes tell that the file holds nothing of that time, whatever a reason says.
    const earlier = JSON.parse((await cli.run('stats', '--format', 'json', '--until', '1h', path)).stdout)
    expect(earlier).toMatchObject({ requests: 0, events: 0, work: 0, trail: { skippedFiles: isJson ? 1 : 0 } })
    const { stdout } = await cli.run('stats', '--format', 'json', path)
    const stats = JSON.parse(stdout)
    expect(stats).toMatchObject({ requests: 2, events: 2, work: 2, open: 0, errors: 2 })
    expect(stats.actions[0]).toEqual({ key: 'report.export', total: 2, errors: 1 })
    expect(stats.trail).toMatchObject({ foreign: 0, torn: 0 })
    const verified = await cli.run('verify', '--json', path)
    expect(JSON.parse(verified.stdout).problems.map(({ kind }: { kind: string }) => kind)).toEqual(['nothing-sealed'])
  })
})

describe('a row', () => {
  it.each<[string, Partial<TrailExchange>, RegExp]>([
    [
      'an event',
      { type: 'action', action: 'invoice.refund', targets: [INVOICE], outcome: 'denied', reason: 'closed' },
      /00000001 denied +action +invoice\.refund invoice:42 {2}\(closed\)$/,
    ],
    ['an event without an outcome', { type: 'action', action: 'tick' }, /00000001 none +action +tick$/],
    ['open work', { type: 'action', action: 'tick', open: true }, /00000001 open +action +tick$/],
    [
      'work that failed and was corrected',
      { type: 'action', action: 'tick', outcome: 'failure', error: 'b', corrected: { error: 'a' }, duration_ms: 2 },
      /00000001 failure\* +2\.0 +action +tick {2}\(b; \* corrected: the record says a\)$/,
    ],
    [
      'work whose result was withheld',
      { type: 'action', action: 'tick', outcome: 'success', error: 'b', corrected: {} },
      /00000001 success\* .*\(b; \* corrected: the record says no error\)$/,
    ],
    [
      'a request with an action',
      {
        request: { operation: 'POST', endpoint: '/x' },
        response: { status_code: 200 },
        action: 'go',
        outcome: 'success',
      },
      /00000001 200 +POST +\/x {2}go success$/,
    ],
    [
      'a long reply',
      { response: { status_code: 101 }, end: { how: 'failed', close_code: 1006, duration_ms: 61_040, error: 'reset' } },
      /00000001 101 .*\(failed with 1006 after 61\.0 s: reset\)$/,
    ],
    [
      'changes',
      {
        type: 'action',
        action: 'a',
        changes: [
          { path: '/state', before: 'paid', after: 'x'.repeat(100) },
          { path: '/note', after: null },
          { path: '/old', before: { a: [1] } },
          { path: '/more', before: 1, after: 2 },
        ],
      },
      /a {2}\(\/state: "paid" → "x{28}…; \/note added: null; \/old removed: \{"a":\[1\]\}; and 1 more changes\)$/,
    ],
    [
      'hostile texts',
      { type: 'action', action: 'a\u001b[2J', targets: [{ type: 'b\n', id: '\u202e' }], reason: '\u0085' },
      /a\\u\{1b\}\[2J b\\u\{a\}:\\u\{202e\} {2}\(\\u\{85\}\)$/,
    ],
  ])('shows %s', (_, exchange, expected) => {
    expect(row(exchange)).toMatch(expected)
  })

  it('of CSV has what was done, to what, and how it ended', () => {
    const cells = csvRow({
      id: idOf(1),
      timestamp: '2026-03-24T17:00:00.000Z',
      type: 'action',
      action: '=go',
      targets: [INVOICE, { type: 'a', id: 'b' }],
      outcome: 'failure',
      error: 'full',
      aborted: true,
      duration_ms: 3,
      namespace: { id: 'team' },
      changes: [{ path: '/a', before: 1 }],
      parent: idOf(2),
      end: { how: 'closed', duration_ms: 5 },
    })
    expect(cells).toContain('"full",,"true",3,')
    expect(cells).toContain(',"team",')
    expect(cells).toMatch(
      /"action","'=go","invoice:42 a:b","failure",,"\[\{""path"":""\/a"",""before"":1\}\]",,"00000002-[^"]*","closed",,5$/,
    )
  })
})

describe('statistics', () => {
  it('count by action, by outcome and by the ends of replies', () => {
    const statistics = new Statistics()
    const timestamp = '2026-03-24T17:00:00.000Z'
    const add = (exchange: Partial<TrailExchange>) => statistics.add({ id: 'x', timestamp, ...exchange })
    add({ response: { status_code: 200 }, action: 'a', outcome: 'failure', end: { how: 'aborted', duration_ms: 1 } })
    add({ response: { status_code: 500 }, end: { how: 'closed', duration_ms: 1 } })
    add({ type: 'action', action: 'a', outcome: 'success' })
    add({ type: 'action', action: 'b', outcome: 'denied', completed_at: timestamp, error: 'no', aborted: true })
    add({ type: 'action', action: 'b', open: true })
    const { requests, events, work, errors, open, aborted } = statistics
    expect({ requests, events, work, errors, open, aborted }).toEqual({
      ...{ requests: 2, events: 1, work: 2 },
      ...{ errors: 2, open: 1, aborted: 1 },
    })
    expect(statistics.actions.top(9)).toEqual([
      { key: 'a', total: 2, errors: 1 },
      { key: 'b', total: 2, errors: 1 },
    ])
    expect(statistics.outcomes.top(9).map(({ key }) => key)).toEqual(['failure', 'success', 'denied'])
    expect(statistics.ends.top(9)).toEqual([
      { key: 'aborted', total: 1, errors: 1 },
      { key: 'closed', total: 1, errors: 0 },
    ])
    expect(statistics.statuses.top(9).map(({ key }) => key)).toEqual(['200', '500'])
    expect(statistics.messages.top(9)).toEqual([{ key: 'b no', total: 1, errors: 1 }])
  })

  it('are shown to people', async () => {
    const path = trailOf([
      ...linesOf({ id: idOf(1), received: 0, completed: 1, status: 200 }),
      eventLine({ id: idOf(2), at: 2, more: { outcome: 'denied' } }),
      ...workLines({ id: idOf(3), at: 3 }),
      endLine(idOf(1), 61, { how: 'aborted' }),
    ])
    const { stdout } = await cli.run('stats', path)
    expect(stdout).toMatch(/^1 requests, 1 events and 1 pieces of work from .*\n1 failed or denied, 1 never completed,/)
    expect(stdout).toMatch(/What was done most\n +actions +errors\n +2 +1 {2}invoice\.refund\n/)
    expect(stdout).toMatch(/Outcomes of actions\n.*\n +1 +1 {2}denied\n/)
    expect(stdout).toMatch(/Ends of long replies\n.*\n +1 +1 {2}aborted\n/)
  })
})

describe('tail', () => {
  it('shows actions, and a request again when its reply ends', async () => {
    const path = trailOf(linesOf({ id: idOf(1), received: 0, completed: 1, status: 101 }))
    const tail = cli.start('tail', path)
    await tail.lines(1)
    const lines = [
      eventLine({ id: idOf(2), at: 2 }),
      ...workLines({ id: idOf(3), at: 3, ended: 4 }),
      endLine(idOf(1), 61),
    ]
    appendFileSync(path, `${lines.join('\n')}\n`)
    const shown = (await tail.lines(4)).map((line) => JSON.parse(line))
    expect(shown.slice(1)).toMatchObject([
      { id: idOf(2), type: 'action' },
      { id: idOf(3), duration_ms: 1000 },
      { id: idOf(1), response: { status_code: 101 }, end: { how: 'closed' } },
    ])
  })
})
