import { describe, expect, it } from 'vitest'
import { HeldFollowUps } from '../../src/reader/follow-ups.js'
import { Pairs } from '../../src/reader/pairing.js'
import { compileQuery, type TrailQuery } from '../../src/reader/query.js'
import { parseRecord } from '../../src/reader/record.js'
import type { TrailExchange } from '../../src/reader/trail-exchange.js'
import { completeLine, idOf, linesOf, type Made, receivedLine } from './made.js'

const BOUNDS = { exchanges: 3, bytes: 10_000 }

function made(number: number): Made {
  return { id: idOf(number), received: number, completed: number, status: 200 }
}

function joined(
  lines: readonly string[],
  query: TrailQuery = {},
  bounds = BOUNDS,
): { given: TrailExchange[]; pairs: Pairs } {
  const pairs = new Pairs(compileQuery(query, 0), new HeldFollowUps(), bounds)
  const given: TrailExchange[] = []
  for (const line of lines) {
    const record = parseRecord(line)
    if (record?.kind !== 'received' && record?.kind !== 'complete') throw new Error(`no record: ${line}`)
    pairs.add(record, line.length, (exchange) => given.push(exchange))
  }
  return { given, pairs }
}

describe('Pairs', () => {
  it('gives the oldest out as open when too many are, and its outcome later', () => {
    const lines = [1, 2, 3, 4].map((number) => receivedLine(made(number)))
    const { given, pairs } = joined([...lines, completeLine(made(1)), completeLine(made(4))])
    expect(given.map(({ id, open }) => [id, open])).toEqual([
      [idOf(1), true],
      [idOf(1), undefined],
      [idOf(4), undefined],
    ])
    expect(pairs.forgotten).toBe(1)
    pairs.end((exchange) => given.push(exchange))
    expect(given.slice(3).map(({ id, open }) => [id, open])).toEqual([
      [idOf(2), true],
      [idOf(3), true],
    ])
  })

  it('holds no more bytes than it may, and drops complete exchanges soon', () => {
    const long = { ...made(1), endpoint: `/${'x'.repeat(6000)}` }
    expect(joined([receivedLine(long), receivedLine({ ...long, id: idOf(2) })]).pairs.forgotten).toBe(1)
    const oneByOne = Array.from({ length: 50 }, (_, n) => linesOf({ ...long, id: idOf(n) })).flat()
    expect(joined(oneByOne).pairs.forgotten).toBe(0)
  })

  it('holds no record of format json that cannot be given out', () => {
    const lines = Array.from({ length: 10 }, (_, n) => receivedLine(made(n)))
    expect(joined(lines, { status: '200' }).pairs.forgotten).toBe(0)
    expect(joined(lines, { annotations: { order: true } }).pairs.forgotten).toBe(0)
    expect(joined(lines, { operation: 'DELETE' }).pairs.forgotten).toBe(0)
    expect(joined(lines, {}).pairs.forgotten).toBe(7)
  })
})
