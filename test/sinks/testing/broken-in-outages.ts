import { AuditSinkUnavailable } from '../../../src/errors.js'
import type { AuditEntry } from '../../../src/index.js'
import { BatchError } from '../../../src/sinks/batch-error.js'
import { type Broken, hang } from './good-sink.js'

/** Sinks that are wrong when their storage fails. */
export const BROKEN_IN_OUTAGES: Broken = {
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
