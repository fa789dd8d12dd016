import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuditSinkUnavailable, BatchError } from '../../src/errors.js'
import type { AuditEntry, AuditSink } from '../../src/index.js'
import { CHECKS, OUTAGE_CHECKS } from '../../src/testing/checks.js'
import { type SinkUnderTest, testSink } from '../../src/testing.js'

/** A sink that does all that is asked of one; each test spoils it in one place. */
class GoodSink implements AuditSink {
  stored: string[] = []
  isOut = false

  async open(): Promise<void> {
    if (this.isOut) throw new AuditSinkUnavailable('out')
  }
  async write(batch: readonly AuditEntry[]): Promise<void> {
    if (this.isOut) throw new Error('out')
    for (const { line } of batch) this.stored.push(line)
  }
  async idle(): Promise<void> {
    if (this.isOut) throw new Error('out')
  }
  async tail(): Promise<string | undefined> {
    return this.stored.at(-1)
  }
  async reopen(): Promise<void> {
    await this.idle()
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

type Sink = GoodSink & AuditSink
/** Takes the place of a sink's method, and may call it. */
type Spoil = (sink: Sink) => Partial<AuditSink>

/** The names of the checks that a sink fails, with what they say. */
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

const hang = () => new Promise<void>(() => undefined)

/** Each check, and sinks that fail it: what is wrong with them, and what the check says. */
const broken: Record<string, Array<{ name: string; spoil: Spoil; says: RegExp }>> = {
  'has stored a batch when `write` resolves': [
    {
      name: 'answers before it has stored',
      spoil: (sink) => {
        let waiting: readonly AuditEntry[] = []
        const store = async () => sink.write(waiting)
        return {
          async write(batch) {
            await store()
            waiting = batch
          },
          close: store,
        }
      },
      says: /stored as line 1: nothing, not "\{/,
    },
    { name: 'never answers', spoil: () => ({ write: hang }), says: /`write` did not settle within 4000 ms/ },
    {
      name: 'rejects what it stores',
      spoil: (sink) => ({
        async write(batch) {
          await sink.write(batch)
          throw new Error('no')
        },
      }),
      says: /^no$/,
    },
    {
      name: 'has a storage that is not its own',
      spoil: (sink) => {
        sink.stored.push('another line')
        return {}
      },
      says: /stored, and never acknowledged: "another line"/,
    },
    {
      name: 'stores twice',
      spoil: (sink) => ({
        async write(batch) {
          await sink.write(batch)
          await sink.write(batch)
        },
      }),
      says: /never acknowledged/,
    },
    {
      name: 'throws while it opens',
      spoil: () => ({
        open: () => {
          throw new Error('at once')
        },
      }),
      says: /at once/,
    },
  ],
  'keeps the order, within a batch and from one batch to the next': [
    {
      name: 'reverses a batch',
      spoil: (sink) => ({ write: (batch) => sink.write([...batch].reverse()) }),
      says: /stored as line 1/,
    },
    {
      name: 'puts the last batch first',
      spoil: (sink) => ({
        async write(batch) {
          sink.stored.unshift(...batch.map(({ line }) => line))
        },
      }),
      says: /stored as line/,
    },
  ],
  'stores a batch of 1,000 entries': [
    {
      name: 'stores the first 999 alone',
      spoil: (sink) => ({ write: (batch) => sink.write(batch.slice(0, 999)) }),
      says: /stored as line 1000: nothing/,
    },
  ],
  'stores a line of 1 MiB': [
    {
      name: 'cuts long lines',
      spoil: (sink) => ({
        async write(batch) {
          for (const { line } of batch) sink.stored.push(line.slice(0, 65_536))
        },
      }),
      says: /stored as line 2: .*… \(65536 characters\), not .*… \(\d{7} characters\)/,
    },
    {
      name: 'refuses long lines',
      spoil: (sink) => ({
        async write(batch) {
          const failed = batch.filter(({ line }) => line.length > 65_536)
          if (failed.length > 0) throw new BatchError({ failed })
          await sink.write(batch)
        },
      }),
      says: /not stored/,
    },
  ],
  'keeps every line whole, whatever characters are in it': [
    ...[
      { name: 'takes U+2028 as the end of a line', cut: (line: string) => line.split(/\u2028/) },
      { name: 'takes U+0085 as the end of a line', cut: (line: string) => line.split(/\u0085/) },
      { name: 'trims', cut: (line: string) => [line.trim()] },
      { name: 'knows only Latin-1', cut: (line: string) => [Buffer.from(line, 'latin1').toString('latin1')] },
      { name: 'drops a byte order mark', cut: (line: string) => [line.replace('\ufeff', '')] },
      { name: 'drops control characters', cut: (line: string) => [line.replace(/\p{Cc}/gu, '')] },
      { name: 'composes accents', cut: (line: string) => [line.normalize('NFC')] },
      { name: 'takes % as a format', cut: (line: string) => [line.replace('%s', '')] },
      { name: 'unescapes', cut: (line: string) => [line.replace('\\n', '\n')] },
    ].map(({ name, cut }) => ({
      name,
      spoil: (sink: Sink) => ({
        async write(batch: readonly AuditEntry[]) {
          for (const { line } of batch) sink.stored.push(...cut(line))
        },
      }),
      says: /stored as line \d+/,
    })),
  ],
  'keeps what is stored through `idle` and `reopen`, and goes on': [
    {
      name: 'forgets when it reopens',
      spoil: (sink) => ({
        async reopen() {
          sink.stored = []
        },
      }),
      says: /stored as line 1: nothing/,
    },
    {
      name: 'stores again when it is idle',
      spoil: (sink) => ({
        async idle() {
          sink.stored.push(...sink.stored)
        },
      }),
      says: /stored as line/,
    },
    { name: 'never comes back from idle', spoil: () => ({ idle: hang }), says: /`idle` did not settle/ },
    { name: 'never comes back from reopen', spoil: () => ({ reopen: hang }), says: /`reopen` did not settle/ },
    {
      name: 'takes nothing once it was reopened',
      spoil: (sink) => ({
        async reopen() {
          sink.isOut = true
        },
      }),
      says: /out/,
    },
  ],
  'says which line is stored last, if it has a `tail`': [
    {
      name: 'says the first one',
      spoil: (sink) => ({ tail: async () => sink.stored[0] }),
      says: /`tail` says "\{.*, and stored last is "\{/,
    },
    {
      name: 'forgets when it reopens',
      spoil: (sink) => {
        let last: string | undefined
        return {
          async write(batch) {
            await sink.write(batch)
            last = batch.at(-1)?.line
          },
          async reopen() {
            last = undefined
          },
          tail: async () => last,
        }
      },
      says: /`tail` says nothing, and stored last is "\{/,
    },
    {
      name: 'says a part of a long line',
      spoil: (sink) => ({ tail: async () => sink.stored.at(-1)?.slice(-65_536) }),
      says: /`tail` says .*\(65536 characters\)/,
    },
    { name: 'never says', spoil: () => ({ tail: hang }) as object, says: /`tail` did not settle/ },
  ],
  'keeps nothing back when it is closed': [
    {
      name: 'cuts its last line when it closes',
      spoil: (sink) => ({
        async close() {
          sink.stored.pop()
        },
      }),
      says: /stored as line 5: nothing/,
    },
    {
      name: 'writes a line of its own when it closes',
      spoil: (sink) => ({
        async close() {
          sink.stored.push('the end')
        },
      }),
      says: /never acknowledged: "the end"/,
    },
  ],
  'can be closed although nothing was stored, or was to be': [
    {
      name: 'cannot close what it never opened for a write',
      spoil: (sink) => ({
        async close() {
          if (sink.stored.length === 0) throw new Error('nothing to close')
        },
      }),
      says: /nothing to close/,
    },
    { name: 'never closes', spoil: () => ({ close: hang }), says: /`close` did not settle/ },
  ],
  'rejects what it cannot store, and tells the truth of each entry': [
    {
      name: 'says nothing',
      spoil: (sink) => ({ write: (batch) => sink.write(batch).catch(() => undefined) }),
      says: /`write` resolved although the storage failed/,
    },
    {
      name: 'names entries of another batch',
      spoil: (sink) => {
        let first: readonly AuditEntry[] | undefined
        return {
          async write(batch) {
            first ??= batch
            if (sink.isOut) throw new BatchError({ failed: [...batch, ...first] })
            await sink.write(batch)
          },
        }
      },
      says: /names an entry that is not of its batch/,
    },
    {
      name: 'names an entry twice',
      spoil: (sink) => ({
        async write(batch) {
          if (sink.isOut) throw new BatchError({ failed: batch, inDoubt: batch })
          await sink.write(batch)
        },
      }),
      says: /as failed and as in doubt/,
    },
    {
      name: 'names nothing',
      spoil: (sink) => ({
        async write(batch) {
          if (sink.isOut) throw new BatchError({})
          await sink.write(batch)
        },
      }),
      says: /names no entry/,
    },
    {
      name: 'names too few',
      spoil: (sink) => ({
        async write(batch) {
          if (sink.isOut) throw new BatchError({ failed: batch.slice(1) })
          await sink.write(batch)
        },
      }),
      says: /stored as line 4: nothing/,
    },
    {
      name: 'stores what it says is not stored',
      spoil: (sink) => ({
        async write(batch) {
          sink.stored.push(...batch.map(({ line }) => line))
          if (sink.isOut) throw new Error('out')
        },
      }),
      says: /said to be not stored, and stored/,
    },
    {
      name: 'hangs instead of failing',
      spoil: (sink) => ({ write: (batch) => (sink.isOut ? hang() : sink.write(batch)) }),
      says: /`write` did not settle/,
    },
  ],
  'stores again after an outage, and what failed is not stored later': [
    {
      name: 'is dead after its first failure',
      spoil: (sink) => {
        let isDead = false
        return {
          async write(batch) {
            isDead ||= sink.isOut
            if (isDead) throw new Error('dead')
            await sink.write(batch)
          },
        }
      },
      says: /^dead$/,
    },
    {
      name: 'never says that it works again',
      spoil: (sink) => {
        let isDead = false
        return {
          async idle() {
            if (isDead) throw new Error('who knows')
          },
          async write(batch) {
            isDead ||= sink.isOut
            await sink.write(batch)
          },
        }
      },
      says: /who knows/,
    },
    {
      name: 'says that what failed is stored last',
      spoil: (sink) => {
        let last: string | undefined
        return {
          async write(batch) {
            last = batch.at(-1)?.line
            await sink.write(batch)
          },
          tail: async () => last,
        }
      },
      says: /`tail` says/,
    },
    {
      name: 'repeats what it said had failed',
      spoil: (sink) => {
        let failed: readonly AuditEntry[] = []
        return {
          async write(batch) {
            if (sink.isOut) failed = batch
            const repeated = sink.isOut ? [] : failed
            if (!sink.isOut) failed = []
            await sink.write([...repeated, ...batch])
          },
        }
      },
      says: /said to be not stored, and stored/,
    },
  ],
  'works after an outage that began before it opened, unless it refused to open': [
    {
      name: 'says that waiting can help, and it cannot',
      spoil: (sink) => {
        let isOpen = false
        return {
          async open() {
            if (sink.isOut) throw new AuditSinkUnavailable('out')
            isOpen = true
          },
          async write(batch) {
            if (!isOpen) throw new Error('not open')
            await sink.write(batch)
          },
        }
      },
      says: /not open/,
    },
    {
      name: 'never says whether it opens',
      spoil: (sink) => ({ open: () => (sink.isOut ? hang() : sink.open()) }),
      says: /`open` did not settle/,
    },
    {
      name: 'cannot be closed when it refused to open',
      spoil: (sink) => {
        let isOpen = false
        return {
          async open() {
            if (sink.isOut) throw new Error('never')
            isOpen = true
          },
          async close() {
            if (!isOpen) throw new Error('not open')
          },
        }
      },
      says: /not open/,
    },
  ],
  'comes to an end when it is closed during an outage': [
    {
      name: 'tries for ever',
      spoil: (sink) => ({ close: () => (sink.isOut ? hang() : sink.close()) }),
      says: /`close` did not settle/,
    },
    {
      name: 'throws away what it has',
      spoil: (sink) => ({
        async close() {
          if (sink.isOut) sink.stored = []
        },
      }),
      says: /stored as line 1: nothing/,
    },
  ],
}

describe('testSink', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('has nothing against a sink that does all that is asked of one', async () => {
    expect(await failures()).toEqual(new Map())
  })

  it('has nothing against a sink that may refuse to start, or fail to close, during an outage', async () => {
    const fails = (sink: Sink) => async () => {
      if (sink.isOut) throw new Error('out')
    }
    expect(await failures((sink) => ({ open: fails(sink), close: fails(sink) }))).toEqual(new Map())
  })

  it('has nothing against a sink with a write alone, or one that takes its time to work again', async () => {
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

  it('has nothing against a sink that stores a part of a batch, and says which', async () => {
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
    expect(Object.keys(broken)).toEqual([...CHECKS, ...OUTAGE_CHECKS].map(({ name }) => name))
  })

  for (const [check, sinks] of Object.entries(broken)) {
    for (const { name, spoil, says } of sinks) {
      it(`fails a sink that ${name}: ${check}`, async () => {
        expect((await failures(spoil)).get(check)).toMatch(says)
      })
    }
  }

  it('asks nothing of failures without an outage, and cleans up after each check, failed or not', async () => {
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
