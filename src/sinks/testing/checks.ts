import assert from 'node:assert/strict'
import { AuditSinkUnavailable } from '../../errors.js'
import { makeEntry, makeSealedEntry, makeStrangeEntry } from './entries.js'
import type { Trial } from './trial.js'

interface Check {
  name: string
  run: (trial: Trial) => Promise<void>
}

/** Starts and ends a failure of the storage. */
interface Outage {
  begin: () => Promise<void>
  end: () => Promise<void>
}

interface OutageCheck {
  name: string
  run: (trial: Trial, outage: Outage) => Promise<void>
}

const MIB = 1024 * 1024

/** Texts that a sink may split, cut, drop or join by mistake: in a line of `json`, and raw. */
const CHARACTERS = [
  'Zoë – 日本語 – 👩‍👩‍👧 – e\u0301 – \u202eright to left',
  '\u2028\u2029\u0085\u000b\u000c',
  '\ufeffa byte order mark',
  ' spaces around and a backslash \\n ',
  `"quotes" 'and' \`more\`; -- %s $1 ?`,
  '\u0001\u0007\u0008\t\u001b[31m\u007f\u009f',
]

/** Checks of a sink whose storage works. */
export const CHECKS: readonly Check[] = [
  {
    name: 'has stored a batch when `write` resolves',
    async run(trial) {
      await trial.open()
      await trial.expectTruth()
      await trial.store(1)
      await trial.expectTruth()
      await trial.store(3)
      await trial.expectTruth()
    },
  },
  {
    name: 'keeps the order, within a batch and from one batch to the next',
    async run(trial) {
      await trial.open()
      for (const count of [2, 1, 50, 7, 100]) await trial.store(count)
      await trial.expectTruth()
    },
  },
  {
    name: 'stores a batch of 1,000 entries',
    async run(trial) {
      await trial.open()
      await trial.store(1000)
      await trial.expectTruth()
    },
  },
  {
    name: 'stores a line of 1 MiB',
    async run(trial) {
      await trial.open()
      await trial.store(1)
      await trial.storeBatch([makeEntry(trial.nextSeq(), `/${'x'.repeat(MIB)}`)])
      await trial.store(1)
      await trial.expectTruth()
    },
  },
  {
    name: 'keeps every line whole, whatever characters are in it',
    async run(trial) {
      await trial.open()
      await trial.storeBatch(CHARACTERS.map((text) => makeEntry(trial.nextSeq(), `/${text}`)))
      await trial.storeBatch(CHARACTERS.map((text) => makeStrangeEntry(trial.nextSeq(), text)))
      await trial.expectTruth()
    },
  },
  {
    name: 'keeps what is stored through `idle` and `reopen`, and goes on',
    async run(trial) {
      await trial.open()
      await trial.idle()
      await trial.reopen()
      await trial.store(2)
      await trial.idle()
      await trial.store(2)
      await trial.reopen()
      await trial.expectTruth()
      await trial.store(2)
      await trial.expectTruth()
    },
  },
  {
    name: 'says which line is stored last, if it has a `tail`',
    async run(trial) {
      await trial.open()
      await trial.expectTail()
      await trial.store(3)
      await trial.expectTail()
      await trial.storeBatch([makeSealedEntry(trial.nextSeq())])
      await trial.expectTail()
      await trial.storeBatch([makeEntry(trial.nextSeq(), `/${'x'.repeat(MIB)}`)])
      await trial.expectTail()
      await trial.reopen()
      await trial.expectTail()
      await trial.store(1)
      await trial.expectTail()
    },
  },
  {
    name: 'keeps nothing back when it is closed',
    async run(trial) {
      await trial.open()
      await trial.store(5)
      await trial.close()
      await trial.expectTruth()
    },
  },
  {
    name: 'can be closed although nothing was stored, or was to be',
    async run(trial) {
      await trial.open()
      await trial.close()
      await trial.expectTruth()
    },
  },
]

/** Checks of a sink whose storage fails, then works again. */
export const OUTAGE_CHECKS: readonly OutageCheck[] = [
  {
    name: 'rejects what it cannot store, and tells the truth of each entry',
    async run(trial, outage) {
      await trial.open()
      await trial.store(3)
      await outage.begin()
      await trial.storeInVain(4)
      await outage.end()
      await trial.expectTruth()
    },
  },
  {
    name: 'stores again after an outage, and what failed is not stored later',
    async run(trial, outage) {
      await trial.open()
      await trial.store(3)
      for (const count of [1, 4]) {
        await outage.begin()
        await trial.storeInVain(count)
        await trial.storeInVain(count)
        await outage.end()
        await trial.recover()
        await trial.expectTail()
        await trial.store(count)
        await trial.store(2)
      }
      await trial.close()
      await trial.expectTruth()
    },
  },
  {
    name: 'works after an outage that began before it opened, unless it refused to open',
    async run(trial, outage) {
      await outage.begin()
      const failure: unknown = await trial.open().then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure instanceof assert.AssertionError) throw failure
      await outage.end()
      // Any other error stops the boot; then only `close` is called.
      if (failure === undefined || failure instanceof AuditSinkUnavailable) {
        await trial.recover()
        await trial.store(3)
      }
      await trial.close()
      await trial.expectTruth()
    },
  },
  {
    name: 'comes to an end when it is closed during an outage',
    async run(trial, outage) {
      await trial.open()
      await trial.store(3)
      await outage.begin()
      await trial.storeInVain(1)
      // `close` may resolve or reject, but must settle.
      await trial.close().catch((error: unknown) => {
        if (error instanceof assert.AssertionError) throw error
      })
      await outage.end()
      await trial.expectTruth()
    },
  },
]
