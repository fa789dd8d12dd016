import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AuditSinkUnavailable, BatchError } from '../../../src/errors.js'
import { entry, type World, world } from './world.js'

/** What became of the entries that a sink was given. */
interface Fates {
  stored: string[]
  notStored: string[]
  inDoubt: string[]
}

const WRITES = 8
const OPTIONS = { rotateBytes: 250 }

/** Writes, rotates and idles; two entries a write. */
async function use({ sink, context, clock, fs }: World, fsync: boolean): Promise<Fates> {
  const fates: Fates = { stored: [], notStored: [], inDoubt: [] }
  const used = sink({ ...OPTIONS, fsync })
  await used.open?.(context).catch(expectUnavailable)
  for (let number = 0; number < WRITES; number++) {
    // Works for the last ones: whatever happened, they must be stored.
    if (number === WRITES - 2) fs.heal()
    const texts = [`${number}a`, `${number}b`]
    const error: unknown = await used.write(texts.map((text) => entry(text))).catch((reason: unknown) => reason)
    if (error === undefined) fates.stored.push(...texts)
    else if (error instanceof BatchError) fates.inDoubt.push(...texts)
    else fates.notStored.push(...texts)
    clock.advance(600)
    await used.idle?.().catch(expectUnavailable)
  }
  await used.close?.()
  return fates
}

function expectUnavailable(error: unknown): void {
  expect(error).toBeInstanceOf(AuditSinkUnavailable)
}

/** Every entry in every file, each of which must end whole. */
function found({ directory, texts }: World): unknown[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => texts(name))
}

it.each([
  { fsync: false, isDone: false },
  { fsync: true, isDone: false },
  { fsync: true, isDone: true },
])('keeps its promises whichever call fails, alone or with the one after it (%o)', { timeout: 60_000 }, async (how) => {
  for (const times of [1, 2]) {
    for (let nth = 1; ; nth++) {
      const all = world()
      const fault = all.fs.plan({ nth, times, code: 'EIO', isDone: how.isDone })
      const fates = await use(all, how.fsync)
      if (fault.hits === 0) {
        expect(nth).toBeGreaterThan(50)
        break
      }
      // The next process has nothing to mend that it cannot mend.
      await (await all.opened(OPTIONS)).close?.()
      const texts = found(all)
      expect(new Set(texts).size).toBe(texts.length)
      expect(texts).toEqual(expect.arrayContaining(fates.stored))
      expect(texts.filter((text) => fates.notStored.includes(String(text)))).toEqual([])
      expect(fates.stored).toEqual(expect.arrayContaining([`${WRITES - 2}a`, `${WRITES - 1}b`]))
    }
  }
})
