import type { AuditEntry } from '../../../src/index.js'
import { BatchError } from '../../../src/sinks/batch-error.js'
import { type Broken, hang, type Sink } from './good-sink.js'

/** Sinks that are wrong although their storage works. */
export const BROKEN: Broken = {
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
    {
      name: 'says the first one when it is asked for a sealed one',
      spoil: (sink) => ({
        tail: async (options) => (options?.sealed === true ? sink.stored[0] : sink.stored.at(-1)),
      }),
      says: /`tail` says "\{.* is sealed last, which is nothing/,
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
}
