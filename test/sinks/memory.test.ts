import { describe, expect, it } from 'vitest'
import { Entry } from '../../src/delivery/entry.js'
import type { LifecycleType } from '../../src/event/event.js'
import { writeLifecycle } from '../../src/event/formats/json.js'
import { memorySink } from '../../src/sinks/memory.js'
import { draft, requestDraft } from '../support/lane.js'
import { Trail } from './testing/trail.js'

const LANE = { enforced: true, offer: () => true }
const ID = '8b826146-b264-4f15-8526-29cb905145aa'

/** An entry as a lane hands it over. */
function entryOf(record: ReturnType<typeof draft>, seq: number): Entry {
  const entry = new Entry(record, LANE, null, false)
  entry.seq = seq
  entry.line = record.json(seq)
  return entry
}

const request = (endpoint: string, seq = 1): Entry => entryOf(requestDraft(endpoint), seq)
const rotation = (seq = 1): Entry => {
  const type: LifecycleType = 'rotation'
  return entryOf(
    draft(writeLifecycle(type, ID, '2026-03-24T17:09:35.704Z', { archive: 'a', bytes: 1, reason: 'age' })),
    seq,
  )
}

describe('a memory sink', () => {
  it('keeps the events of requests apart from every line, both in order', async () => {
    const sink = memorySink()
    await sink.write([rotation(1), request('/a', 2)])
    await sink.write([request('/b', 3)])
    expect(sink.events.map(({ payload }) => payload.request.endpoint)).toEqual(['/a', '/b'])
    expect(sink.lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3])
    expect(sink.entries).toHaveLength(3)
    expect(sink.events[0]).toEqual(JSON.parse(sink.lines[1] ?? ''))
  })

  it('joins the records of each request, in the order of receipt, and keeps actions apart', async () => {
    const sink = memorySink()
    const { entries } = new Trail()
      .received('a')
      .received('b')
      .action('event')
      .complete('b', 200)
      .action('work', { stage: 'OperationReceived' })
      .correction('b', { status_code: 500, error: 'withheld' })
      .complete('a', 101)
      .action('work', { stage: 'OperationComplete' })
      .correction('work', { error: 'withheld' })
      .end('a', { how: 'closed', duration_ms: 3 })
      .end('unknown', { how: 'closed', duration_ms: 3 })
      .complete('c', 404)
      .stop()
    await sink.write(entries)
    const at = (seq: number): unknown => entries[seq]?.event
    expect(sink.exchanges).toEqual([
      { id: 'a', received: at(0), complete: at(6), end: { how: 'closed', duration_ms: 3 } },
      { id: 'b', received: at(1), complete: at(3), correction: { status_code: 500, error: 'withheld' } },
      { id: 'c', complete: at(11) },
    ])
    expect(sink.actions).toEqual([at(2), at(4), at(7)])
    sink.clear()
    expect([sink.exchanges, sink.actions]).toEqual([[], []])
  })

  it('forgets its lines when it is cleared, and nothing else', async () => {
    const sink = memorySink()
    await sink.write([request('/a')])
    const { events } = sink
    sink.clear()
    expect([sink.events, sink.lines, sink.entries]).toEqual([[], [], []])
    expect(events).toHaveLength(1)
    sink.fail()
    sink.clear()
    await expect(sink.write([request('/b')])).rejects.toThrow()
  })

  it('rejects every write with the error that it is given, until it recovers', async () => {
    const sink = memorySink()
    const failure = new Error('disk full')
    sink.fail(failure)
    await expect(sink.write([request('/a')])).rejects.toBe(failure)
    await expect(sink.write([request('/b')])).rejects.toBe(failure)
    sink.fail()
    await expect(sink.write([request('/c')])).rejects.toThrow('told to fail')
    sink.recover()
    await sink.write([request('/d')])
    expect(sink.events.map(({ payload }) => payload.request.endpoint)).toEqual(['/d'])
  })

  it('leaves writes without an answer while it hangs, and stores them in order when it recovers', async () => {
    const sink = memorySink()
    sink.hang()
    const writes = [sink.write([request('/a')]), sink.write([request('/b')])]
    sink.hang()
    writes.push(sink.write([request('/c')]))
    await expect(Promise.race([...writes, Promise.resolve('hanging')])).resolves.toBe('hanging')
    expect(sink.lines).toEqual([])
    sink.recover()
    await Promise.all(writes)
    expect(sink.events.map(({ payload }) => payload.request.endpoint)).toEqual(['/a', '/b', '/c'])
    await sink.write([request('/d')])
    expect(sink.lines).toHaveLength(4)
  })

  it('rejects hanging calls when it is told to fail', async () => {
    const sink = memorySink()
    sink.hang()
    const write = sink.write([request('/a')])
    sink.fail()
    await expect(write).rejects.toThrow('told to fail')
    expect(sink.lines).toEqual([])
  })
})
