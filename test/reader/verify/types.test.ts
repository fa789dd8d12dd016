import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyTrail } from '../../../src/index.js'
import {
  endLine,
  eventLine,
  idOf,
  inRancher,
  linesOf,
  timeOf,
  trailOf,
  workCorrectionLine,
  workLines,
} from '../made.js'

/** Seals lines as the docs say, one after the other. */
function sealed(lines: readonly string[]): string[] {
  let prev = '0'.repeat(64)
  return lines.map((line) => {
    const content = `${line.slice(0, -1)},"prev":"${prev}"}`
    prev = createHash('sha256').update(content).digest('hex')
    return `${content.slice(0, -1)},"hash":"${prev}"}`
  })
}

function entry(type: string, details: unknown): string {
  const payload = { id: idOf(90), type, timestamp: timeOf(0), version: 1, [type]: details }
  return JSON.stringify({ created_at: timeOf(0), event_type: 'audit', instance: 'i', seq: 1, payload })
}

/** Gives each line its number, as a server does. */
function numbered(lines: readonly string[]): string[] {
  return lines.map((line, index) => JSON.stringify({ ...JSON.parse(line), seq: index + 1 }))
}

/** Names that mean something to the verifier as the types of entries. */
const NAMES = ['seal', 'checkpoint', 'rotation', 'retention', 'gap']
const SEAL = { sink: 'audit', chain: 'new', algorithm: 'sha256' }
const LINES = numbered([
  entry('seal', SEAL),
  ...linesOf({ id: idOf(1), received: 0, completed: 1, status: 101 }),
  ...NAMES.map((action, index) => eventLine({ id: idOf(index + 10), at: 2, action, more: { reason: action } })),
  ...workLines({ id: idOf(2), at: 3, ended: 4, action: 'seal', more: { annotations: { seal: SEAL, chain: 'new' } } }),
  workCorrectionLine(idOf(2), 'FST_AUDIT_RESPONSE_WITHHELD'),
  entry('later', { seal: SEAL, retention: { deleted: 'audit.log' } }),
  entry('another', 'text'),
  endLine(idOf(1), 61),
])

describe('a trail with types of every kind, also of later versions', () => {
  it('verifies by its chain', async () => {
    const result = await verifyTrail([trailOf(sealed(LINES))])
    expect(result).toMatchObject({ ok: true, chains: 1, problems: [], sealed: LINES.length, lines: LINES.length })
  })

  it('verifies by its chain in format rancher', async () => {
    const lines = inRancher(LINES)
    const result = await verifyTrail([trailOf(sealed(lines))])
    expect(result).toMatchObject({ ok: true, chains: 1, problems: [], sealed: lines.length })
  })

  it('verifies by its numbers', async () => {
    const { problems, numbers } = await verifyTrail([trailOf(LINES)])
    expect(problems.map(({ kind }) => kind)).toEqual(['nothing-sealed'])
    expect(numbers).toEqual({ runs: 1, missing: 0, unaccounted: 0 })
  })

  it('shows each line of it that is deleted or changed', async () => {
    const lines = sealed(LINES)
    for (const [index, line] of lines.slice(0, -1).entries()) {
      const deleted = await verifyTrail([trailOf(lines.toSpliced(index, 1))])
      const changed = await verifyTrail([trailOf(lines.with(index, line.replace('2026', '2025')))])
      expect([deleted.ok, changed.ok], line).toEqual([false, false])
    }
  })
})
