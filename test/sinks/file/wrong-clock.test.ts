import { renameSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileSink } from '../../../src/sinks/file/file-sink.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import { deletesWhatIsDue, keepsWhatIsYoung } from './clock-model.js'
import { entry, HOUR, put, START, type World, world } from './world.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

const DAY = 24 * HOUR
const YEAR = 365 * DAY
const SECOND = 1000

describe('archives under a clock that is wrong', () => {
  /** Sets the time of day; the monotonic clock goes on. */
  function setter({ clock }: World): (by: number) => void {
    const { now } = clock
    return (by) => {
      clock.now = () => now() + by
    }
  }

  const archives = ({ names }: World): string[] => names().filter((name) => name.startsWith('audit-'))

  async function rotate(sink: FileSink, { clock }: World, text: string): Promise<void> {
    await sink.write([entry(text, clock.now()), entry(text), entry(text)])
    await sink.idle?.()
  }

  async function idleFor(sink: FileSink, { clock }: World, time: number): Promise<void> {
    for (let passed = 0; passed < time; passed += 61 * SECOND) {
      clock.advance(61 * SECOND)
      await sink.idle?.()
    }
  }

  const LIMITS = [
    ['by age', { rotateMaxAge: 30 * DAY, rotateMinAge: 30 * DAY }],
    ['by count', { rotateMaxFiles: 1, rotateMinAge: 30 * DAY }],
  ] as const

  describe.each(LIMITS)('%s', (_name, limits) => {
    it.each([
      ['two years back', -2 * YEAR],
      ['60 days back', -60 * DAY],
      ['two years forward', 2 * YEAR],
    ])('are kept when it was %s while they were made, by this process and the next', async (_what, jump) => {
      const all = world()
      const set = setter(all)
      const sink = await all.opened({ ...limits, rotateBytes: 1 })
      await rotate(sink, all, 'before')
      set(jump)
      await rotate(sink, all, 'a')
      await rotate(sink, all, 'b')
      set(0)
      await idleFor(sink, all, 5 * 60 * SECOND)
      await sink.close?.()
      const next = await all.opened({ ...limits, rotateBytes: 1 })
      await idleFor(next, all, 5 * 60 * SECOND)
      expect(archives(all)).toHaveLength(3)
      expect(all.recorded.filter(({ type }) => type === 'retention')).toEqual([])
    })

    it('are kept when it was behind for so long that the process was restarted, twice', async () => {
      const all = world()
      const set = setter(all)
      const open = (): Promise<FileSink> => all.opened({ ...limits, rotateBytes: 1 })
      let sink = await open()
      await rotate(sink, all, 'before')
      set(-2 * YEAR)
      for (const text of ['a', 'b']) {
        await rotate(sink, all, text)
        await sink.write([entry(text, all.clock.now())])
        await sink.close?.()
        sink = await open()
      }
      await rotate(sink, all, 'c')
      await sink.close?.()
      set(0)
      await idleFor(await open(), all, 2 * HOUR)
      expect(all.recorded.filter(({ type }) => type === 'retention')).toEqual([])
    })

    it('are kept when it is forward for 1.5 s', async () => {
      const all = world()
      const set = setter(all)
      put(all.directory, ...[1, 2, 3].map((days) => new ArchiveNames(all.path).name(START - days * DAY, 0)))
      const sink = await all.opened({ ...limits, rotateBytes: 1 })
      set(2 * YEAR)
      await rotate(sink, all, 'a')
      all.clock.advance(1500)
      await sink.idle?.()
      set(0)
      await idleFor(sink, all, 5 * 60 * SECOND)
      expect(archives(all)).toHaveLength(4)
    })

    it('are kept when it was behind from the start of a machine without another clue, and set right', async () => {
      const all = world()
      const set = setter(all)
      set(-2 * YEAR)
      const sink = await all.opened({ ...limits, rotateBytes: 1 })
      await rotate(sink, all, 'a')
      await rotate(sink, all, 'b')
      set(0)
      await sink.idle?.()
      await sink.close?.()
      const next = await all.opened({ ...limits, rotateBytes: 1 })
      await idleFor(next, all, 2 * HOUR)
      expect(archives(all)).toHaveLength(2)
    })

    it('are deleted in time when it was ahead at the start of the process that made them', async () => {
      const all = world()
      const set = setter(all)
      const first = await all.opened()
      await first.write([entry('a')])
      await first.close?.()
      set(2 * YEAR)
      const sink = await all.opened({ ...limits, rotateBytes: 1 })
      set(0)
      for (const text of ['b', 'c']) await rotate(sink, all, text)
      await sink.close?.()
      all.clock.advance(31 * DAY)
      const next = await all.opened({ ...limits, rotateBytes: 1 })
      for (const text of ['d', 'e']) await rotate(next, all, text)
      await idleFor(next, all, 2 * HOUR)
      expect(all.recorded.filter(({ type }) => type === 'retention').length).toBeGreaterThanOrEqual(2)
    })

    it('are kept when it was ahead at the start of the process, and set right within the hour', async () => {
      const all = world()
      const set = setter(all)
      put(all.directory, ...[1, 2, 3].map((days) => new ArchiveNames(all.path).name(START - days * DAY, 0)))
      const first = await all.opened({ ...limits })
      await first.write([entry('a')])
      await first.close?.()
      set(2 * YEAR)
      const sink = await all.opened({ ...limits, rotateBytes: 1 })
      await idleFor(sink, all, 50 * 60 * SECOND)
      set(0)
      await idleFor(sink, all, 2 * HOUR)
      expect(archives(all).slice(0, 3)).toHaveLength(3)
      expect(all.recorded.filter(({ type }) => type === 'retention')).toEqual([])
    })
  })

  it('goes by the first entry and by the time of modification, whichever is later than the name', async () => {
    for (const clue of ['entry', 'modified'] as const) {
      const all = world()
      const name = new ArchiveNames(all.path).name(START - YEAR, 0)
      const first = await all.opened()
      await first.write([entry('a', START - (clue === 'entry' ? DAY : 2 * YEAR))])
      await first.close?.()
      renameSync(all.path, join(all.directory, name))
      const modified = (START - (clue === 'modified' ? DAY : YEAR)) / 1000
      utimesSync(join(all.directory, name), modified, modified)
      const sink = await all.opened({ rotateMaxAge: 30 * DAY })
      await sink.idle?.()
      expect(archives(all)).toEqual([name])
      expect(all.logged.filter((message) => message.startsWith('audit files are kept'))).toHaveLength(1)
      // It is not kept for ever.
      all.clock.advance(30 * DAY)
      await sink.idle?.()
      expect(archives(all)).toEqual([])
      expect(all.logged.at(-1)).toMatch(/^no longer: audit files are kept/)
    }
  })

  it('looks again after an hour: an operator can set the time of modification right', async () => {
    const all = world()
    const name = new ArchiveNames(all.path).name(START - YEAR, 0)
    put(all.directory, name)
    utimesSync(join(all.directory, name), START / 1000, START / 1000)
    const sink = await all.opened({ rotateMaxAge: 30 * DAY })
    await sink.idle?.()
    utimesSync(join(all.directory, name), (START - YEAR) / 1000, (START - YEAR) / 1000)
    await idleFor(sink, all, HOUR)
    expect(archives(all)).toEqual([])
  })

  it('keeps no other archive from being deleted, and says in each deletion how many it keeps', async () => {
    const all = world()
    const names = new ArchiveNames(all.path)
    const young = Array.from({ length: 150 }, (_, index) => names.name(START - YEAR + index, 0))
    put(all.directory, ...young, names.name(START - 40 * DAY, 0))
    for (const name of young) utimesSync(join(all.directory, name), START / 1000, START / 1000)
    const sink = await all.opened({ rotateMaxAge: 30 * DAY })
    await sink.idle?.()
    expect(all.recorded).toMatchObject([{ type: 'retention', deleted: names.name(START - 40 * DAY, 0), kept: 150 }])
    expect(archives(all)).toEqual(young)
  })
})

describe('retention, whatever the clock does', () => {
  // The lock's timer goes by the clock of the model.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  it('deletes nothing that is younger than rotateMinAge in real time, and keeps nothing for ever', () =>
    keepsWhatIsYoung(150))

  it('deletes everything that is due, with a clock that is right', () => deletesWhatIsDue(100))
})
