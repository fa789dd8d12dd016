import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgedArchive } from '../../../src/sinks/file/archive-ages.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import { archivesNotHeld, expired } from '../../../src/sinks/file/retention.js'
import { HOUR, put, START, world } from './world.js'

const names = new ArchiveNames('/var/log/audit.log')
const DAY = 24 * HOUR
/** The name of an archive that was rotated `days` days ago. */
const daysOld = (days: number): string => names.name(START - days * DAY, 0)

/** The archives of a directory with the ages that their names give them. */
const aged = (present: readonly string[]): AgedArchive[] =>
  archivesNotHeld(names, present).map((archive) => ({ ...archive, age: START - archive.time }))

describe('retention', () => {
  it('deletes nothing by default', async () => {
    const { opened, directory, names: left } = world()
    put(directory, daysOld(9000))
    await (await opened()).idle?.()
    expect(left()).toContain(daysOld(9000))
  })

  it('keeps as many archives as it is told, and records each deletion', async () => {
    const { opened, directory, names: left, recorded } = world()
    put(directory, daysOld(3), daysOld(2), daysOld(4), daysOld(1))
    await (await opened({ rotateMaxFiles: 2 })).idle?.()
    expect(left()).toEqual([daysOld(2), daysOld(1), 'audit.log', 'audit.log.lock'])
    expect(recorded).toEqual([
      { type: 'retention', deleted: daysOld(4), bytes: 1, reason: 'count' },
      { type: 'retention', deleted: daysOld(3), bytes: 1, reason: 'count' },
    ])
  })

  it('deletes by age, also what grows too old while the server runs', async () => {
    const { opened, directory, names: left, recorded, clock } = world()
    put(directory, daysOld(8), daysOld(6))
    const sink = await opened({ rotateMaxAge: 7 * DAY })
    await sink.idle?.()
    expect(left()).toEqual([daysOld(6), 'audit.log', 'audit.log.lock'])
    clock.advance(DAY + 1)
    await sink.idle?.()
    expect(recorded).toMatchObject([
      { deleted: daysOld(8), reason: 'age' },
      { deleted: daysOld(6), reason: 'age' },
    ])
  })

  it('never deletes one that is younger than rotateMinAge, however many there are', async () => {
    const { opened, directory, names: left } = world()
    put(directory, daysOld(5), daysOld(3), daysOld(1))
    await (await opened({ rotateMaxFiles: 1, rotateMinAge: 4 * DAY })).idle?.()
    expect(left()).toEqual([daysOld(3), daysOld(1), 'audit.log', 'audit.log.lock'])
  })

  it('never touches an archive on hold, nor counts it', async () => {
    const { opened, directory, names: left } = world()
    put(directory, daysOld(5), `${daysOld(5)}.hold`, daysOld(3), daysOld(2))
    await (await opened({ rotateMaxFiles: 1, rotateMaxAge: DAY })).idle?.()
    expect(left()).toEqual([daysOld(5), `${daysOld(5)}.hold`, 'audit.log', 'audit.log.lock'])
  })

  it('deletes nothing while audit.log.hold is there', async () => {
    const { opened, directory, names: left } = world()
    put(directory, daysOld(5), daysOld(3), 'audit.log.hold')
    await (await opened({ rotateMaxFiles: 1, rotateMaxAge: DAY })).idle?.()
    expect(left()).toEqual([daysOld(5), daysOld(3), 'audit.log', 'audit.log.hold', 'audit.log.lock'])
  })

  it('lists nothing for deletion while everything is on hold', () => {
    const options = { rotateMaxFiles: 1, rotateMaxAge: DAY, rotateMinAge: 0 }
    expect(expired(aged([daysOld(5), daysOld(3)]), options)).toHaveLength(2)
    expect(expired(aged([daysOld(5), daysOld(3), 'audit.log.hold']), options)).toEqual([])
  })

  it('heeds a hold that is put up after the directory was listed', async () => {
    const { opened, directory, names: left, fs } = world()
    put(directory, daysOld(5), daysOld(3))
    const sink = await opened({ rotateMaxAge: DAY })
    const hung = fs.plan({ op: 'readdir', hang: true })
    const listing = fs.readdir
    fs.readdir = async (path) => {
      const found = await listing(path)
      put(directory, `${daysOld(3)}.hold`)
      return found
    }
    const done = sink.idle?.()
    await expect.poll(() => hung.hits).toBe(1)
    fs.heal()
    await done
    expect(left()).toEqual([daysOld(3), `${daysOld(3)}.hold`, 'audit.log', 'audit.log.lock'])
  })

  it('goes on later when it fails, and fails nothing else', async () => {
    const { opened, directory, names: left, fs, clock, logged } = world()
    put(directory, daysOld(5), daysOld(3))
    const sink = await opened({ rotateMaxAge: DAY })
    fs.plan({ op: 'unlink', on: daysOld(5), code: 'EACCES' })
    await sink.idle?.()
    expect(logged).toEqual(['old audit files cannot be deleted; nothing else is affected'])
    expect(left()).toEqual([daysOld(5), 'audit.log', 'audit.log.lock'])
    clock.advance(60_000)
    await sink.idle?.()
    expect(left()).toEqual(['audit.log', 'audit.log.lock'])
  })

  it('deletes a hundred in one go at most, and asks the system for nothing else about the rest', async () => {
    const { opened, directory, names: left, fs } = world()
    put(directory, ...Array.from({ length: 450 }, (_, index) => daysOld(index + 1)))
    const sink = await opened({ rotateMaxFiles: 300 })
    fs.calls.length = 0
    await sink.idle?.()
    expect(left()).toHaveLength(352)
    expect(fs.calls.filter((call) => call.startsWith('unlink'))).toHaveLength(100)
    expect(fs.calls.length).toBeLessThan(100 * 9 + 10)
    await sink.idle?.()
    expect(left()).toHaveLength(302)
  })

  it('is never wider than its limits, whatever is in the directory', () => {
    const foreign = fc.oneof(
      fc.string(),
      fc.constantFrom('audit.log', 'audit-old.log', 'audit-2026-02-30T00-00-00.000Z.log'),
    )
    const present = fc.uniqueArray(
      fc.oneof(
        // Some by a clock that was ahead.
        fc.integer({ min: -10, max: 40 }).map(daysOld),
        fc.integer({ min: 0, max: 40 }).map((days) => `${daysOld(days)}.hold`),
        foreign,
      ),
      { maxLength: 80 },
    )
    const limit = fc.nat({ max: 20 })
    fc.assert(
      fc.property(present, limit, limit, limit, (list, count, maximum, minimum) => {
        const options = { rotateMaxFiles: count, rotateMaxAge: maximum * DAY, rotateMinAge: minimum * DAY }
        const gone = expired(aged(list), options)
        const kept = list.filter((name) => !gone.some((archive) => archive.name === name))
        for (const { name, time } of gone) {
          expect(names.parse(name)).toBeDefined()
          expect(list).not.toContain(`${name}.hold`)
          expect(START - time).toBeGreaterThanOrEqual(options.rotateMinAge)
        }
        const free = names.among(kept).filter(({ name, time }) => time <= START && !list.includes(`${name}.hold`))
        const mayGo = free.filter(({ time }) => START - time >= options.rotateMinAge)
        if (count > 0) expect(Math.min(free.length - count, mayGo.length)).toBeLessThanOrEqual(0)
        if (maximum > 0) expect(mayGo.filter(({ time }) => START - time > options.rotateMaxAge)).toEqual([])
        if (count === 0 && maximum === 0) expect(gone).toEqual([])
      }),
    )
  })
})
