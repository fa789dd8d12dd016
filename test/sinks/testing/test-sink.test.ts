import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../../src/sinks/batch-error.js'
import { CHECKS, OUTAGE_CHECKS } from '../../../src/sinks/testing/checks.js'
import { type SinkUnderTest, testSink } from '../../../src/testing.js'
import { BROKEN_IN_OUTAGES } from './broken-in-outages.js'
import { BROKEN } from './broken-sinks.js'
import { GoodSink, type Sink, type Spoil } from './good-sink.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

/** The names of the checks that a sink fails, with their messages. */
async function failures(spoil: Spoil = () => ({}), more: Partial<SinkUnderTest> = {}): Promise<Map<string, string>> {
  const bodies = new Map<string, () => Promise<void>>()
  const create = () => {
    const sink = new GoodSink()
    const inner = Object.assign(Object.create(sink), {})
    return { sink: Object.assign(inner, spoil(sink)), good: sink, read: () => sink.stored, ...more }
  }
  testSink('a sink', create, {
    describe: (_, body) => body(),
    it: (name, body) => bodies.set(name, body),
    outage: {
      begin: ({ good }) => {
        good.isOut = true
      },
      end: ({ good }) => {
        good.isOut = false
      },
    },
  })
  const failed = new Map<string, string>()
  for (const [name, body] of bodies) {
    let isOver = false
    const running = body()
      .catch((error: Error) => failed.set(name, error.message))
      .finally(() => {
        isOver = true
      })
    while (!isOver) await vi.advanceTimersByTimeAsync(100)
    await running
  }
  return failed
}

describe('testSink', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('accepts a sink without mistakes', async () => {
    expect(await failures()).toEqual(new Map())
  })

  it('accepts a sink that refuses to start, or fails to close, during an outage', async () => {
    const fails = (sink: Sink) => async () => {
      if (sink.isOut) throw new Error('out')
    }
    expect(await failures((sink) => ({ open: fails(sink), close: fails(sink) }))).toEqual(new Map())
  })

  it('accepts a sink with a write alone, or one that takes its time to work again', async () => {
    const only: Spoil = () =>
      ({ open: undefined, tail: undefined, idle: undefined, reopen: undefined, close: undefined }) as object
    expect(await failures(only)).toEqual(new Map())
    let left = 0
    const slow: Spoil = (sink) => ({
      async idle() {
        if (sink.isOut) left = 5
        if (left-- > 0) throw new Error('not yet')
      },
    })
    expect(await failures(slow)).toEqual(new Map())
  })

  it('accepts a sink that stores a part of a batch, and says which', async () => {
    const spoil: Spoil = (sink) => ({
      async write(batch) {
        if (!sink.isOut) return sink.write(batch)
        const [refused, whole, doubtful, lost] = batch
        for (const entry of [whole, doubtful]) if (entry) sink.stored.push(entry.line)
        const inDoubt = [doubtful, lost].filter((entry) => entry !== undefined)
        throw new BatchError({ failed: refused ? [refused] : [], inDoubt })
      },
    })
    expect(await failures(spoil)).toEqual(new Map())
  })

  it('has each of its checks failed by a broken sink', () => {
    expect(Object.keys(BROKEN).concat(Object.keys(BROKEN_IN_OUTAGES))).toEqual(
      [...CHECKS, ...OUTAGE_CHECKS].map(({ name }) => name),
    )
  })

  for (const [check, sinks] of Object.entries({ ...BROKEN, ...BROKEN_IN_OUTAGES })) {
    for (const { name, spoil, says } of sinks) {
      it(`fails a sink that ${name}: ${check}`, async () => {
        expect((await failures(spoil)).get(check)).toMatch(says)
      })
    }
  }

  it('tests no failures without an outage, and cleans up after each check, failed or not', async () => {
    const names: string[] = []
    let made = 0
    let cleaned = 0
    const bodies: Array<() => Promise<void>> = []
    const create = () => {
      const sink = new GoodSink()
      sink.isOut = made++ === 0
      return { sink, read: () => sink.stored, cleanup: () => void cleaned++ }
    }
    testSink('a sink', create, {
      describe: (name, body) => {
        names.push(name)
        body()
      },
      it: (_, body) => bodies.push(body),
    })
    const results = await Promise.allSettled(bodies.map((body) => body()))
    expect(results.map(({ status }) => status)).toEqual(['rejected', ...CHECKS.slice(1).map(() => 'fulfilled')])
    expect([names, made, cleaned]).toEqual([['a sink'], CHECKS.length, CHECKS.length])
  })
})
