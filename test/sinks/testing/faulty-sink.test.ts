import { describe, expect, it, vi } from 'vitest'
import { type AuditEntry, type AuditSink, memorySink } from '../../../src/index.js'
import { BatchError } from '../../../src/sinks/batch-error.js'
import { makeEntry } from '../../../src/sinks/testing/entries.js'
import { faultySink } from '../../../src/testing.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

const batchOf = (...endpoints: string[]): AuditEntry[] => endpoints.map((endpoint, index) => makeEntry(index, endpoint))
const endpointsOf = ({ events }: ReturnType<typeof memorySink>) => events.map(({ payload }) => payload.request.endpoint)

describe('a faulty sink', () => {
  it('hands every call to the wrapped sink', async () => {
    const calls: string[] = []
    const call = (name: string) => async () => void calls.push(name)
    const behind = {
      open: call('open'),
      write: call('write'),
      idle: call('idle'),
      reopen: call('reopen'),
      close: call('close'),
    }
    const sink = faultySink(behind)
    const context = { name: 'x', log: console, record: () => undefined, doubt: () => undefined }
    await sink.open?.(context)
    await sink.write(batchOf('/a'))
    await sink.idle?.()
    await sink.reopen?.()
    await sink.close?.()
    expect(calls).toEqual(['open', 'write', 'idle', 'reopen', 'close'])
  })

  it('rejects every call but close with the error it is given, until it recovers', async () => {
    const behind = memorySink()
    const sink = faultySink(behind)
    const failure = new Error('disk full')
    sink.fail(failure)
    await expect(sink.write(batchOf('/a'))).rejects.toBe(failure)
    await expect(sink.idle?.()).rejects.toBe(failure)
    await expect(sink.reopen?.()).rejects.toBe(failure)
    await sink.close?.()
    sink.fail()
    await expect(sink.write(batchOf('/b'))).rejects.toThrow('told to fail')
    sink.recover()
    await sink.idle?.()
    await sink.write(batchOf('/c'))
    expect(endpointsOf(behind)).toEqual(['/c'])
  })

  it('leaves calls without an answer while it hangs, and hands them over when it recovers', async () => {
    const behind = memorySink()
    const sink = faultySink(behind)
    sink.hang()
    const writes = Promise.all([sink.write(batchOf('/a')), sink.write(batchOf('/b'))])
    await expect(Promise.race([writes, new Promise((resolve) => setImmediate(resolve, 'hanging'))])).resolves.toBe(
      'hanging',
    )
    expect(behind.lines).toEqual([])
    sink.recover()
    await writes
    expect(endpointsOf(behind)).toEqual(['/a', '/b'])
  })

  it('rejects hanging calls when it is told to fail', async () => {
    const sink = faultySink(memorySink())
    sink.hang()
    const write = sink.write(batchOf('/a'))
    sink.fail()
    await expect(write).rejects.toThrow('told to fail')
  })

  it('hands a write over late when it is slow', async () => {
    vi.useFakeTimers()
    try {
      const behind = memorySink()
      const sink = faultySink(behind)
      sink.slow(1000)
      const write = sink.write(batchOf('/a'))
      await vi.advanceTimersByTimeAsync(999)
      expect(behind.lines).toEqual([])
      await vi.advanceTimersByTimeAsync(1)
      await write
      expect(behind.lines).toHaveLength(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('refuses the entries that are poison, and hands over the others', async () => {
    const behind = memorySink()
    const sink = faultySink(behind)
    sink.poison(({ line }) => line.includes('/odd'))
    const batch = batchOf('/a', '/odd', '/b')
    await expect(sink.write(batch)).rejects.toMatchObject({ failed: [batch[1]], inDoubt: [] })
    expect(endpointsOf(behind)).toEqual(['/a', '/b'])
    await expect(sink.write(batchOf('/odd'))).rejects.toBeInstanceOf(BatchError)
    await sink.write(batchOf('/c'))
    sink.recover()
    await sink.write(batchOf('/odd'))
    expect(endpointsOf(behind)).toEqual(['/a', '/b', '/c', '/odd'])
  })

  it('passes on the answer of the wrapped sink for the others of a poisoned batch', async () => {
    const batch = batchOf('/a', '/odd', '/b', '/c')
    const failure = new Error('nothing of it')
    let answer: (given: readonly AuditEntry[]) => Error = () => failure
    const behind: AuditSink = { write: async (given) => Promise.reject(answer(given)) }
    const sink = faultySink(behind)
    sink.poison(({ line }) => line.includes('/odd'))
    await expect(sink.write(batch)).rejects.toBe(failure)
    answer = ([, b, c]) => new BatchError({ failed: b ? [b] : [], inDoubt: c ? [c] : [], cause: failure })
    await expect(sink.write(batch)).rejects.toMatchObject({
      failed: [batch[1], batch[2]],
      inDoubt: [batch[3]],
      cause: failure,
    })
  })
})
