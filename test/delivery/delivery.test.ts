import { describe, expect, it, vi } from 'vitest'
import { Entry } from '../../src/delivery/entry.js'
import { Draft } from '../../src/event/draft.js'
import { BatchError } from '../../src/sinks/batch-error.js'
import type { AuditEntry, AuditSink } from '../../src/sinks/sink.js'
import {
  endpointOf,
  expectWholeAccount,
  gapOf,
  laneOf,
  requestDraft,
  settle,
  stopOf,
  useFakeTimers,
} from '../support/lane.js'
import { validateLine } from '../support/schema.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

const MIB = 1024 * 1024

describe('order and group commit', () => {
  it('stores in the order of the offers, numbered from 1, each exactly once', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    const witnesses = []
    for (let index = 0; index < 50; index++) {
      witnesses.push(ask(`/${index}`))
      if (index % 7 === 0) await settle()
    }
    await settle()
    expect(sink.endpoints).toEqual(Array.from({ length: 50 }, (_, index) => `/${index}`))
    expect(sink.stored.map(({ event }) => event.seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    for (const { told } of witnesses) expect(told).toEqual(['stored'])
    expect(delivery.stats()).toMatchObject({ offered: 50, stored: 50, lost: 0, notStored: 0, inDoubt: 0, queued: 0 })
  })

  it('gathers what arrives in one turn of the event loop into one write', async () => {
    useFakeTimers()
    const { sink, ask } = laneOf()
    ask('/a')
    ask('/b')
    expect(sink.batches).toEqual([])
    await settle()
    expect(sink.batches.map((batch) => batch.map(endpointOf))).toEqual([['/a', '/b']])
  })

  it('gathers what arrives while a batch is being stored into the next write', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/first')
    await settle()
    const witnesses = ['/a', '/b', '/c'].map(ask)
    await settle(500)
    expect(sink.batches).toHaveLength(1)
    expect(delivery.stats().queued).toBe(4)
    sink.answer()
    await settle()
    expect(sink.lastBatch.map(endpointOf)).toEqual(['/a', '/b', '/c'])
    for (const { told } of witnesses) expect(told).toEqual([])
    sink.answer()
    await settle()
    for (const { told } of witnesses) expect(told).toEqual(['stored'])
    expect(delivery.stats().batches).toBe(2)
  })

  it('gives a write at most 1,000 entries, the gap included', async () => {
    useFakeTimers()
    const { sink, ask, tell } = laneOf()
    sink.auto = 'fail'
    tell('/lost')
    await settle()
    sink.auto = 'store'
    for (let index = 0; index < 2500; index++) ask(`/${index}`)
    await settle()
    const batches = sink.batches.slice(1)
    expect(batches.map((batch) => batch.length)).toEqual([1000, 1000, 501])
    expect(gapOf(batches[0]?.[0])).toEqual({ lost: 1, in_doubt: 0, from: 1, to: 1 })
  })

  it('gives a write at most 1 MiB, counted in bytes and with each line its ending', async () => {
    useFakeTimers()
    const { sink, ask } = laneOf()
    for (let index = 0; index < 700; index++) ask(`/${'é'.repeat(2000)}${index}`)
    await settle()
    expect(sink.stored).toHaveLength(700)
    expect(sink.batches.length).toBeGreaterThan(2)
    for (const batch of sink.batches) {
      const bytes = batch.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0)
      expect(bytes).toBeLessThanOrEqual(MIB)
    }
  })

  it('gives a write one entry that is larger than any batch', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    const huge = new Draft('{"seq":', `,"x":"${'x'.repeat(2 * MIB)}"}`, true)
    ask('/before')
    delivery.offer(new Entry(huge, delivery, null, true))
    ask('/after')
    await settle()
    expect(sink.batches.map((batch) => batch.length)).toEqual([1, 1, 1])
    expect(delivery.stats()).toMatchObject({ queued: 0, queuedBytes: 0 })
  })

  it('puts entries that the sink records before all waiting ones, in their order', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/first')
    await settle()
    ask('/waiting')
    delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    delivery.record('retention', { deleted: 'b.log', bytes: 1, reason: 'count' })
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(sink.endpoints).toEqual(['/first', 'rotation', 'retention', '/waiting'])
    expectWholeAccount(sink.stored, 4, new Set())
  })

  it('stores entries that the sink records, without traffic', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'age' })
    await settle()
    expect(sink.endpoints).toEqual(['rotation'])
  })

  it('is not disturbed by a sink that keeps the array and empties it', async () => {
    useFakeTimers()
    const stored: AuditEntry[] = []
    const sink = {
      async write(batch: AuditEntry[]) {
        for (let next = batch.shift(); next !== undefined; next = batch.shift()) stored.push(next)
      },
    }
    const { delivery, ask } = laneOf({ sink })
    const witnesses = ['/a', '/b'].map(ask)
    await settle()
    expect(stored.map(endpointOf)).toEqual(['/a', '/b'])
    expect(witnesses.map(({ told }) => told)).toEqual([['stored'], ['stored']])
    expect(delivery.stats().stored).toBe(2)
  })

  it('does not let one hung lane delay another', async () => {
    useFakeTimers()
    const hung = laneOf()
    const other = laneOf()
    hung.sink.auto = null
    hung.ask('/a')
    other.ask('/a')
    await settle()
    other.ask('/b')
    await settle()
    expect(hung.sink.stored).toEqual([])
    expect(other.sink.endpoints).toEqual(['/a', '/b'])
    expect([hung.delivery.healthy, other.delivery.healthy]).toEqual([true, true])
    await settle(10_000)
    expect([hung.delivery.healthy, other.delivery.healthy]).toEqual([false, true])
  })
})

describe('bounds', () => {
  for (const enforced of [true, false]) {
    const kind = enforced ? 'enforced' : 'best-effort'

    it(`takes no more than maxQueue entries beside the batch being stored (${kind})`, async () => {
      useFakeTimers()
      // Half of an enforced lane is kept for the outcomes of its requests.
      const { delivery, sink, ask, tell } = laneOf({ enforced, maxQueue: enforced ? 6 : 3 })
      const offer = enforced ? ask : tell
      sink.auto = null
      offer('/first')
      await settle()
      const taken = ['/a', '/b', '/c', '/d', '/e'].map((endpoint) => offer(endpoint).isTaken)
      expect(taken).toEqual([true, true, true, false, false])
      expect(delivery.stats()).toMatchObject({ notStored: 2, lost: enforced ? 0 : 2, queued: 4 })
      sink.auto = 'store'
      sink.answer()
      await settle()
      expect(offer('/f').isTaken).toBe(true)
      await settle()
      expect(sink.endpoints.filter((endpoint) => endpoint !== 'gap')).toEqual(['/first', '/a', '/b', '/c', '/f'])
    })

    it(`takes no more than maxQueueBytes, counted in bytes (${kind})`, async () => {
      useFakeTimers()
      const endpoint = `/${'é'.repeat(1000)}`
      const { size } = requestDraft(endpoint)
      const { delivery, sink, ask } = laneOf({ enforced, maxQueueBytes: (enforced ? 6 : 3) * size })
      sink.auto = null
      ask('/first')
      await settle()
      const taken = Array.from({ length: 4 }, () => ask(endpoint).isTaken)
      expect(taken).toEqual([true, true, true, false])
      expect(delivery.stats().queuedBytes).toBe(3 * size)
      sink.auto = 'store'
      sink.answer()
      await settle()
      expect(delivery.stats().queuedBytes).toBe(0)
    })
  }

  it('keeps half of an enforced lane for the outcomes of handlers that ran', async () => {
    useFakeTimers()
    const { size } = requestDraft('/x')
    for (const bound of [{ maxQueue: 4 }, { maxQueueBytes: 4 * size }]) {
      const { delivery, sink, ask, tell } = laneOf(bound)
      sink.auto = null
      ask('/first')
      await settle()
      expect([ask('/a'), ask('/b'), ask('/c'), tell('/d')].map(({ isTaken }) => isTaken)).toEqual([
        true,
        true,
        false,
        false,
      ])
      expect([tell('/e', true), tell('/f', true), tell('/g', true)].map(({ isTaken }) => isTaken)).toEqual([
        true,
        true,
        false,
      ])
      expect(delivery.stats()).toMatchObject({ queued: 5, lost: 2 })
    }
  })

  it('takes an entry that is larger than half of the bytes, when nothing waits', async () => {
    useFakeTimers()
    const { ask } = laneOf({ maxQueueBytes: requestDraft('/x').size })
    expect(ask('/x').isTaken).toBe(true)
  })

  it('counts bytes, not characters', () => {
    const ascii = requestDraft('/eee')
    const wide = requestDraft('/ééé')
    expect(wide.size - ascii.size).toBe(3)
    expect(wide.size).toBeGreaterThanOrEqual(Buffer.byteLength(wide.json(1)))
  })

  it('holds a bounded number of 10,000 offers to a sink that hangs', async () => {
    useFakeTimers()
    const { delivery, sink, tell } = laneOf({ enforced: false, maxQueue: 100 })
    sink.auto = null
    tell('/first')
    await settle()
    for (let index = 0; index < 10_000; index++) tell(`/${index}`)
    await settle(60_000)
    const stats = delivery.stats()
    expect(stats.queued).toBe(101)
    expect(stats.queuedBytes).toBeLessThan(100 * 1000)
    expect(stats.lost).toBe(9900)
    expect(sink.batches).toHaveLength(1)
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
  })
})

describe('a batch past its timeout', () => {
  it('is in doubt: its waiters are told once, and enforced entries fail at once while it is unsettled', async () => {
    useFakeTimers()
    const { delivery, sink, ask, logged } = laneOf()
    sink.auto = null
    const first = ask('/in doubt')
    await settle()
    const waiting = ask('/waiting')
    await settle(9999)
    expect([first.told, waiting.told, delivery.healthy]).toEqual([[], [], true])
    await settle(1)
    expect(first.told).toEqual(['in doubt'])
    expect(waiting.told).toEqual(['not stored'])
    const refused = ask('/at once')
    expect([refused.isTaken, refused.told]).toEqual([false, []])
    await settle(60_000)
    expect(first.told).toEqual(['in doubt'])
    expect(sink.batches).toHaveLength(1)
    expect(delivery.stats()).toMatchObject({ healthy: false, inDoubt: 1, stored: 0, notStored: 2, lost: 0, queued: 1 })
    expect(logged).toEqual([expect.stringMatching(/^error .*fails: requests are refused/)])
  })

  it('that is stored after all counts as stored, and its waiter hears of it', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    const witness = ask('/late')
    await settle(10_000)
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(witness.told).toEqual(['in doubt', 'after all stored'])
    expect(delivery.stats()).toMatchObject({ stored: 1, inDoubt: 0, notStored: 0, lost: 0, healthy: true })
    ask('/next')
    await settle()
    expect(sink.endpoints).toEqual(['/late', '/next'])
  })

  it('that fails after all is lost if its request was served, and the next success tells of it', async () => {
    useFakeTimers()
    const { delivery, sink, ask, tell } = laneOf()
    sink.auto = null
    const received = ask('/received')
    const complete = tell('/complete', true)
    await settle(10_000)
    sink.auto = 'store'
    sink.answer(new Error('late failure'))
    await settle()
    expect(received.told).toEqual(['in doubt', 'after all not stored'])
    expect(complete.told).toEqual(['in doubt', 'after all not stored'])
    expect(delivery.stats()).toMatchObject({ stored: 0, inDoubt: 0, notStored: 2, lost: 1, healthy: false })
    ask('/next')
    await settle()
    expect(gapOf(sink.stored[0])).toEqual({ lost: 1, in_doubt: 0, from: 2, to: 2 })
    expect(sink.endpoints).toEqual(['gap', '/next'])
  })

  it('keeps taking best-effort entries, up to the bounds', async () => {
    useFakeTimers()
    const { sink, tell } = laneOf({ enforced: false })
    sink.auto = null
    tell('/first')
    await settle(10_000)
    expect(tell('/second').isTaken).toBe(true)
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(sink.endpoints).toEqual(['/first', '/second'])
  })

  it('runs one timer for a batch, not one for an entry', async () => {
    useFakeTimers()
    const { sink, ask } = laneOf()
    sink.auto = null
    for (let index = 0; index < 100; index++) ask(`/${index}`)
    await settle()
    expect(sink.batches).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(1)
  })
})

describe('the gap', () => {
  it('precedes the next success and tells how many are lost, and between which numbers', async () => {
    useFakeTimers()
    const { sink, ask, tell } = laneOf()
    ask('/1')
    await settle()
    sink.auto = 'fail'
    ask('/2 refused')
    tell('/3')
    tell('/4')
    await settle()
    ask('/5 refused')
    tell('/6')
    await settle()
    sink.auto = 'store'
    ask('/8')
    await settle()
    expect(sink.endpoints).toEqual(['/1', 'gap', '/8'])
    expect(gapOf(sink.stored[1])).toMatchObject({ lost: 3, in_doubt: 0, from: 3 })
    const refused = new Set([2, 6])
    expectWholeAccount(sink.stored, 9, refused)
  })

  it('is written once, and a second one reports only later losses', async () => {
    useFakeTimers()
    const { sink, ask, tell } = laneOf()
    for (const round of [1, 2]) {
      sink.auto = 'fail'
      for (let index = 0; index < round; index++) tell('/lost')
      await settle()
      sink.auto = 'store'
      ask('/stored')
      await settle()
      ask('/stored')
      await settle()
    }
    const gaps = sink.stored.map(gapOf).filter((gap) => gap !== undefined)
    expect(gaps).toEqual([
      { lost: 1, in_doubt: 0, from: 1, to: 1 },
      { lost: 2, in_doubt: 0, from: 5, to: 6 },
    ])
    expectWholeAccount(sink.stored, 9, new Set())
  })

  it('that could not be stored is told again, with its own number inside', async () => {
    useFakeTimers()
    const { sink, ask, tell } = laneOf()
    sink.auto = 'fail'
    tell('/1')
    await settle()
    ask('/3, behind the gap that is 2')
    await settle()
    sink.auto = 'store'
    ask('/5')
    await settle()
    expect(gapOf(sink.stored[0])).toEqual({ lost: 1, in_doubt: 0, from: 1, to: 2 })
    expectWholeAccount(sink.stored, 5, new Set([3]))
  })

  it('that its format refuses is told as json, logged once, and costs the others nothing', async () => {
    useFakeTimers()
    const { delivery, sink, ask, tell, logged } = laneOf({
      format: (_, seq) => {
        if (seq === 1 || seq === 3) return `entry ${seq}`
        throw new Error('no gaps please')
      },
    })
    await delivery.open(1000)
    sink.auto = 'fail'
    tell('/1')
    await settle()
    sink.auto = 'store'
    ask('/3')
    await settle(5000)
    expect(sink.stored.map(({ line }) => line)).toEqual([expect.stringContaining('"type":"gap"'), 'entry 3'])
    expect(gapOf(sink.stored[0])).toEqual({ lost: 1, in_doubt: 0, from: 1, to: 1 })
    expect(validateLine(sink.stored[0]?.line ?? '').seq).toBe(2)
    expect(logged.filter((line) => line.includes('format'))).toHaveLength(1)
    expect(delivery.stats()).toMatchObject({ offered: 3, stored: 2, healthy: true })
  })

  it('that its format refuses does not keep a sink without traffic from recovering', async () => {
    useFakeTimers()
    const { delivery, sink, tell } = laneOf({
      format: () => {
        throw new Error('no line at all')
      },
    })
    await delivery.open(1000)
    sink.auto = 'fail'
    tell('/1')
    await settle(1000)
    expect(delivery.healthy).toBe(false)
    sink.auto = 'store'
    await settle(1000)
    expect([delivery.healthy, sink.endpoints]).toEqual([true, ['gap']])
  })

  it('reports entries that the sink itself is in doubt of', async () => {
    useFakeTimers()
    const { delivery, sink, ask, tell } = laneOf()
    sink.auto = null
    const witnesses = [ask('/stored'), tell('/failed', true), ask('/in doubt'), ask('/refused')]
    await settle()
    const [, failed, inDoubt, refused] = sink.lastBatch
    if (!failed || !inDoubt || !refused) throw new Error('the batch is not whole')
    sink.auto = 'store'
    sink.answer(new BatchError({ failed: [failed, refused], inDoubt: [inDoubt] }))
    await settle()
    expect(witnesses.map(({ told }) => told)).toEqual([['stored'], ['not stored'], ['in doubt'], ['not stored']])
    expect(delivery.stats()).toMatchObject({ stored: 1, notStored: 2, inDoubt: 1, lost: 1 })
    ask('/next')
    await settle()
    expect(gapOf(sink.lastBatch[0])).toEqual({ lost: 1, in_doubt: 1, from: 2, to: 3 })
  })

  it('is written within a second without traffic', async () => {
    useFakeTimers()
    const { delivery, sink, tell } = laneOf({ enforced: false, maxQueue: 1 })
    await delivery.open(1000)
    sink.auto = null
    tell('/1')
    await settle()
    tell('/3')
    tell('/dropped')
    sink.auto = 'store'
    sink.answer()
    await settle(1000)
    expect(sink.endpoints).toContain('gap')
    expectWholeAccount(sink.stored, delivery.stats().offered, new Set())
  })

  it('precedes the stop entry when the server closes', async () => {
    useFakeTimers()
    const { delivery, sink, tell } = laneOf()
    sink.auto = 'fail'
    tell('/lost')
    await settle()
    sink.auto = 'store'
    const closing = delivery.close(1000, stopOf(delivery))
    await settle()
    await closing
    expect(sink.endpoints).toEqual(['gap', 'stop'])
    expect(sink.calls.at(-1)).toBe('close')
    expect(sink.stored[1]?.event.payload).toMatchObject({ stop: { stored: 1, lost: 1, in_doubt: 0, open: 0 } })
    expectWholeAccount(sink.stored, 3, new Set())
  })
})

describe('the answer of a sink', () => {
  it('counts as not stored when it throws, rejects with anything, or dies on the way', async () => {
    useFakeTimers()
    const answers: Array<() => unknown> = [
      () => {
        throw new Error('thrown at once')
      },
      () => {
        throw undefined
      },
      () => Promise.reject(),
      () => Promise.reject(null),
      () => Promise.reject(0),
      () => Promise.reject('text'),
      () =>
        Object.defineProperty({}, 'then', {
          get: () => {
            throw new Error('no promise at all')
          },
        }),
    ]
    const sink = { write: (): unknown => answers[0]?.() }
    const { delivery, ask, logged } = laneOf({ sink: sink as AuditSink })
    const count = answers.length
    for (let index = 0; index < count; index++) {
      const witness = ask('/x')
      await settle()
      expect(witness.told).toEqual(['not stored'])
      answers.shift()
    }
    const last = ask('/after')
    await settle()
    expect(last.told).toEqual(['stored'])
    expect(delivery.stats()).toMatchObject({ notStored: count, stored: 1, healthy: true })
    expect(logged.map((line) => line.split(' ')[0])).toEqual(['error', 'info'])
  })

  it('counts as stored when it returns something other than a promise', async () => {
    useFakeTimers()
    const { ask } = laneOf({ sink: { write: (): unknown => 7 } as AuditSink })
    const witness = ask('/x')
    await settle()
    expect(witness.told).toEqual(['stored'])
  })

  it('takes entries that a BatchError does not name as stored, and is healthy if there are any', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    const witnesses = ['/a', '/b'].map(ask)
    await settle()
    sink.answer(new BatchError({ failed: sink.lastBatch.slice(1) }))
    await settle()
    expect(witnesses.map(({ told }) => told)).toEqual([['stored'], ['not stored']])
    expect(delivery.healthy).toBe(true)
  })

  it('tells every waiter, also when one of them throws, and throws it on', async () => {
    useFakeTimers()
    const { delivery, ask } = laneOf()
    const thrown: unknown[] = []
    vi.spyOn(process, 'nextTick').mockImplementation((callback, ...args) => {
      try {
        callback(...args)
      } catch (error) {
        thrown.push(error)
      }
    })
    const before = ask('/before')
    const failure = new Error('a waiter fails')
    const thrower = {
      takesReserve: true,
      settled: () => {
        throw failure
      },
      resolved: () => undefined,
    }
    delivery.offer(new Entry(requestDraft('/thrower'), delivery, thrower, false))
    const after = ask('/after')
    await settle()
    vi.restoreAllMocks()
    expect([before.told, after.told]).toEqual([['stored'], ['stored']])
    expect(thrown).toEqual([failure])
    const next = ask('/next')
    await settle()
    expect(next.told).toEqual(['stored'])
  })

  it('loses an entry that its format refuses, and no other', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf({
      format: (entry, seq) => {
        const line = entry.json(seq)
        if (line.includes('/bad')) throw new Error('a format fails')
        return line
      },
    })
    const witnesses = ['/a', '/bad', '/b'].map(ask)
    await settle()
    expect(witnesses.map(({ told }) => told)).toEqual([['stored'], ['not stored'], ['stored']])
    expect(sink.endpoints).toEqual(['/a', '/b'])
    const alone = ask('/bad')
    await settle()
    expect(alone.told).toEqual(['not stored'])
    await delivery.flush()
  })
})
