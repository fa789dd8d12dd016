import { describe, expect, it, vi } from 'vitest'
import { Entry } from '../../src/delivery/entry.js'
import { AuditSinkUnavailable } from '../../src/errors.js'
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

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

describe('opening', () => {
  it('opens the sink with its context before anything is written', async () => {
    useFakeTimers()
    const open = vi.fn(async () => undefined)
    const { delivery } = laneOf({ sink: { open, write: async () => undefined } })
    await delivery.open(1000)
    expect(open).toHaveBeenCalledExactlyOnceWith(delivery)
    expect(delivery.name).toBe('audit')
  })

  it('rejects with an error that must stop the boot', async () => {
    useFakeTimers()
    const failure = new Error('no such user')
    const { delivery } = laneOf({ sink: { open: () => Promise.reject(failure), write: async () => undefined } })
    await expect(delivery.open(1000)).rejects.toBe(failure)
  })

  it('rejects with a reason also when the sink gives none', async () => {
    useFakeTimers()
    const { delivery } = laneOf({ sink: { open: () => Promise.reject(), write: async () => undefined } })
    await expect(delivery.open(1000)).rejects.toThrow('without a reason')
  })

  it('lets the server start without a sink that is unavailable, and takes it back in idle', async () => {
    useFakeTimers()
    const { delivery, sink, logged, ask } = laneOf()
    sink.open = () => Promise.reject(new AuditSinkUnavailable('disk full'))
    await delivery.open(1000)
    expect(delivery.healthy).toBe(false)
    sink.auto = 'fail'
    await settle(3000)
    expect(delivery.healthy).toBe(false)
    sink.auto = 'store'
    await settle(1000)
    expect(delivery.healthy).toBe(true)
    expect(logged.map((line) => line.split(' ')[0])).toEqual(['error', 'info'])
    ask('/x')
    await settle()
    expect(sink.endpoints).toEqual(['/x'])
  })

  it('does not wait longer for a sink that hangs while it opens, and refuses until it has opened', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    const opening = delivery.open(1000)
    let isOpened = false
    opening.then(() => {
      isOpened = true
    })
    await settle(999)
    expect(isOpened).toBe(false)
    const waiting = ask('/waiting')
    await settle(1)
    expect(isOpened).toBe(true)
    expect(delivery.healthy).toBe(false)
    expect(waiting.told).toEqual(['not stored'])
    expect(ask('/refused').isTaken).toBe(false)
    sink.auto = 'store'
    sink.answer()
    await settle(1000)
    expect(delivery.healthy).toBe(true)
    expect(ask('/taken').isTaken).toBe(true)
    await settle()
    expect(sink.endpoints).toEqual(['/taken'])
  })

  it('survives a sink that fails to open after the boot went on', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    sink.auto = null
    const opening = delivery.open(1000)
    await settle(1000)
    await opening
    sink.answer(new Error('late'))
    await settle()
    expect(sink.calls).toEqual(['open', 'idle'])
    expect(delivery.healthy).toBe(false)
    sink.answer()
    await settle()
    expect(delivery.healthy).toBe(true)
  })
})

describe('idle and health', () => {
  it('gives the sink time for itself every second, never during a write', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.open(1000)
    await settle(3000)
    expect(sink.calls).toEqual(['open', 'idle', 'idle', 'idle'])
    sink.auto = null
    ask('/slow')
    await settle(5000)
    expect(sink.calls.slice(4)).toEqual(['write'])
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(sink.calls.slice(4)).toEqual(['write', 'idle'])
  })

  it('gives the sink time for itself under constant traffic too', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.open(1000)
    for (let index = 0; index < 40; index++) {
      ask(`/${index}`)
      await settle(50)
    }
    expect(sink.calls.filter((call) => call === 'idle')).toHaveLength(2)
  })

  it('does not write to a sink that has nothing to store', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    await delivery.open(1000)
    await settle(5000)
    expect(sink.batches).toEqual([])
  })

  for (const hasIdle of [true, false]) {
    it(`recovers without traffic ${hasIdle ? 'with' : 'without'} an idle of the sink's own`, async () => {
      useFakeTimers()
      const { delivery, sink, tell, logged } = laneOf()
      if (!hasIdle) delete sink.idle
      await delivery.open(1000)
      sink.auto = 'fail'
      tell('/lost')
      await settle(5500)
      expect(delivery.healthy).toBe(false)
      sink.auto = 'store'
      await settle(1000)
      expect(delivery.healthy).toBe(true)
      expect(sink.endpoints).toEqual(['gap'])
      expect(gapOf(sink.stored[0])).toMatchObject({ lost: 1, from: 1 })
      expect(logged.map((line) => line.split(' ')[0])).toEqual(['error', 'info'])
      expectWholeAccount(sink.stored, delivery.stats().offered, new Set())
    })
  }

  it('recovers without a gap when nothing was lost but a refused request', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.open(1000)
    sink.auto = 'fail'
    ask('/refused')
    await settle()
    expect(delivery.healthy).toBe(false)
    sink.auto = 'store'
    await settle(1000)
    expect(delivery.healthy).toBe(true)
    expect(sink.stored).toEqual([])
  })

  it('logs a failure when it starts and when it ends, though idle succeeds while writes fail', async () => {
    useFakeTimers()
    const { delivery, sink, tell, logged } = laneOf({ enforced: false })
    await delivery.open(1000)
    sink.idle = async () => undefined
    sink.auto = 'fail'
    for (let index = 0; index < 10; index++) {
      tell('/lost')
      await settle(1000)
    }
    expect(logged).toEqual([expect.stringMatching(/^error .*fails: its entries are lost/)])
    sink.auto = 'store'
    await settle(1000)
    expect(logged).toHaveLength(2)
    expect(logged[1]).toMatch(/^info .*works again/)
  })

  it('is unhealthy when idle fails, or does not come back', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.open(1000)
    sink.auto = 'fail'
    await settle(1000)
    expect(delivery.healthy).toBe(false)
    sink.auto = null
    await settle(1000)
    const waiting = ask('/waiting')
    await settle(10_000)
    expect(waiting.told).toEqual(['not stored'])
    expect(ask('/refused').isTaken).toBe(false)
    sink.auto = 'store'
    sink.answer()
    await settle(1000)
    expect(delivery.healthy).toBe(true)
  })
})

describe('flush and reopen', () => {
  it('flushes at once when there is nothing to wait for, and otherwise when all is answered for', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.flush()
    sink.auto = null
    ask('/a')
    const done = vi.fn()
    delivery.flush().then(done)
    await settle()
    ask('/b')
    expect(done).not.toHaveBeenCalled()
    sink.auto = 'store'
    sink.answer(new Error('not stored is an answer too'))
    await settle()
    expect(done).toHaveBeenCalled()
    expect(sink.endpoints).toEqual(['/b'])
  })

  it('flushes entries that the answer to another entry caused', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    const received = { takesReserve: true, settled: () => void ask('/complete'), resolved: () => undefined }
    delivery.offer(new Entry(requestDraft('/received'), delivery, received, false))
    const done = vi.fn()
    delivery.flush().then(done)
    await settle()
    sink.answer()
    await settle()
    expect(sink.lastBatch.map(endpointOf)).toEqual(['/complete'])
    expect(done).not.toHaveBeenCalled()
    sink.answer()
    await settle()
    expect(done).toHaveBeenCalled()
  })

  it('flushes under constant traffic without waiting for later entries', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/in flight')
    await settle()
    ask('/waiting')
    const done = vi.fn()
    delivery.flush().then(done)
    for (const isDone of [false, false, true]) {
      ask('/more')
      sink.answer()
      await settle()
      expect(done.mock.calls.length).toBe(isDone ? 1 : 0)
    }
    expect(sink.pending).not.toBe(null)
  })

  it('reopens between writes', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/a')
    await settle()
    ask('/b')
    const reopened = delivery.reopen()
    await settle()
    expect(sink.calls).toEqual(['write'])
    sink.auto = 'store'
    sink.answer()
    await settle()
    await reopened
    expect(sink.calls).toEqual(['write', 'reopen', 'write'])
  })

  it('rejects with the error of the reopening, and is unhealthy until the sink works', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = 'fail'
    await expect(delivery.reopen()).rejects.toThrow('told to fail')
    expect(delivery.healthy).toBe(false)
    sink.auto = 'store'
    ask('/a')
    await settle()
    expect(delivery.healthy).toBe(true)
  })

  it('reopens once for all who asked before it began', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/a')
    await settle()
    const asked = [delivery.reopen(), delivery.reopen()]
    sink.answer()
    await settle()
    const later = delivery.reopen()
    sink.auto = 'store'
    sink.answer()
    await Promise.all(asked)
    await settle()
    await later
    expect(sink.calls).toEqual(['write', 'reopen', 'reopen'])
  })

  it('rejects, when it closes, each caller that waits for a hanging sink, before or during a reopening', async () => {
    for (const hangsIn of ['write', 'reopen']) {
      useFakeTimers()
      const { delivery, sink, ask } = laneOf()
      sink.auto = null
      if (hangsIn === 'write') ask('/hangs')
      await settle()
      const reopened = delivery.reopen().then(
        () => 'reopened',
        (error: Error) => error.message,
      )
      const closing = delivery.close(500, stopOf(delivery))
      await settle(500)
      await closing
      expect(await reopened).toContain('Audit sink "audit" did not answer within 500 ms')
      sink.auto = 'store'
      sink.answer()
      await settle()
      // It is not reopened, because nobody waits, but it is closed: it may hold a lock.
      expect(sink.calls).toEqual([hangsIn, 'close'])
    }
  })

  it('does not reopen a sink that is being closed', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    const closing = delivery.release(1000)
    sink.auto = null
    await delivery.reopen()
    await settle()
    await closing
    expect(sink.calls).toEqual(['close'])
  })

  it('reopens a sink that has no reopen, or is closed, by doing nothing', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    delete sink.reopen
    await delivery.reopen()
    const closing = delivery.close(1000, stopOf(delivery))
    await settle(10)
    await closing
    await delivery.reopen()
    await delivery.flush()
    expect(sink.calls).toEqual(['idle', 'write', 'close'])
  })
})

describe('closing', () => {
  it('stores what is queued, gives the sink time for itself, stores the stop entry, closes, and leaves no timer', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    await delivery.open(1000)
    const witness = ask('/last')
    const closing = delivery.close(1000, stopOf(delivery))
    await settle(10)
    await closing
    expect(witness.told).toEqual(['stored'])
    expect(sink.endpoints).toEqual(['/last', 'stop'])
    expect(sink.calls).toEqual(['open', 'write', 'idle', 'write', 'close'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes no more entries, and counts those that come', async () => {
    useFakeTimers()
    const { delivery, sink, ask, tell } = laneOf()
    const closing = delivery.close(1000, stopOf(delivery))
    await settle()
    await closing
    expect(ask('/late').isTaken).toBe(false)
    expect(tell('/late').isTaken).toBe(false)
    delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    await settle(5000)
    expect(delivery.stats()).toMatchObject({ offered: 4, stored: 1, notStored: 3, lost: 2, queued: 0 })
    expect(sink.calls).toEqual(['idle', 'write', 'close'])
  })

  it('keeps to its budget with a sink that hangs, tells everybody, and closes the sink when it comes back', async () => {
    useFakeTimers()
    const { delivery, sink, ask, tell, logged } = laneOf()
    sink.auto = null
    const inDoubt = ask('/in doubt')
    await settle()
    const waiting = ask('/waiting')
    tell('/told')
    let isClosed = false
    const closing = delivery.close(500, stopOf(delivery)).then(() => {
      isClosed = true
    })
    await settle(499)
    expect(isClosed).toBe(false)
    await settle(1)
    await closing
    expect([inDoubt.told, waiting.told]).toEqual([['in doubt'], ['not stored']])
    expect(logged[0]).toContain('fails')
    expect(vi.getTimerCount()).toBe(0)
    // The waiting entry, and the stop entry.
    expect(delivery.stats()).toMatchObject({ inDoubt: 1, notStored: 3, lost: 2, queued: 1 })
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(inDoubt.told).toEqual(['in doubt', 'after all stored'])
    expect(delivery.stats()).toMatchObject({ inDoubt: 0, stored: 1, queued: 0 })
    expect(sink.calls).toEqual(['write', 'close'])
  })

  it('keeps to its budget with a sink that hangs while it closes', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    const hung = vi.spyOn(sink, 'close').mockReturnValue(new Promise(() => undefined))
    ask('/a')
    const closing = delivery.close(500, stopOf(delivery))
    await settle()
    await settle(500)
    await closing
    expect(hung).toHaveBeenCalledOnce()
    expect(sink.endpoints).toEqual(['/a', 'stop'])
    expect(delivery.stats()).toMatchObject({ stored: 2, inDoubt: 0, lost: 0 })
  })

  it('closes a sink that fails, counting the stop entry as lost', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    sink.auto = 'fail'
    const closing = delivery.close(500, stopOf(delivery))
    await settle()
    await closing
    expect(sink.calls).toEqual(['idle', 'write', 'close'])
    expect(delivery.stats()).toMatchObject({ stored: 0, lost: 1 })
  })

  it('stores entries that the sink records in that time before the stop entry', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    sink.idle = async () => delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    const closing = delivery.close(500, stopOf(delivery))
    await settle(10)
    await closing
    expect(sink.endpoints).toEqual(['rotation', 'stop'])
  })

  it('counts entries that the sink records while it closes, and does not store them', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    vi.spyOn(sink, 'close').mockImplementation(async () => {
      delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    })
    const closing = delivery.close(500, stopOf(delivery))
    await settle()
    await closing
    expect(sink.endpoints).toEqual(['stop'])
    expect(delivery.stats()).toMatchObject({ offered: 2, lost: 1, queued: 0 })
  })

  it('releases the sink of a boot that failed without writing to it', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    await delivery.open(1000)
    const releasing = delivery.release(1000)
    await settle()
    await releasing
    expect(sink.calls).toEqual(['open', 'close'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('releases a sink that hangs while it opens as soon as it has opened', async () => {
    useFakeTimers()
    const { delivery, sink } = laneOf()
    sink.auto = null
    const opening = delivery.open(1000)
    const releasing = delivery.release(100)
    await settle(1000)
    await Promise.all([opening, releasing])
    expect(sink.calls).toEqual(['open'])
    sink.auto = 'store'
    sink.answer()
    await settle()
    expect(sink.calls).toEqual(['open', 'close'])
  })

  it('tells the flush that waits for a sink that is given up', async () => {
    useFakeTimers()
    const { delivery, sink, ask } = laneOf()
    sink.auto = null
    ask('/a')
    await settle()
    const flushed = delivery.flush()
    const closing = delivery.close(100, stopOf(delivery))
    await settle(100)
    await Promise.all([flushed, closing])
    expect(sink.batches.map((batch) => batch.map(endpointOf))).toEqual([['/a']])
  })
})
