import { unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expired } from '../../../src/sinks/file/retention.js'
import { entry, HOUR, type ManualClock, START, world } from './world.js'

const DAY = 24 * HOUR

/** Sets the time of day back; the monotonic clock goes on. */
function setBack(clock: ManualClock, by: number): void {
  const { now } = clock
  clock.now = () => now() - by
}

describe('a clock that is set back', () => {
  it('delays rotation by no more than the age that is asked for', async () => {
    const { opened, clock, recorded, texts } = world()
    const sink = await opened({ rotateDuration: DAY })
    await sink.write([entry('a', clock.now())])
    await sink.idle?.()
    setBack(clock, 3650 * DAY)
    await sink.idle?.()
    expect(recorded).toEqual([])
    clock.advance(DAY)
    await sink.idle?.()
    expect(recorded).toMatchObject([{ type: 'rotation', reason: 'age', archive: 'audit-2016-03-27T17-09-35.704Z.log' }])
    await sink.write([entry('b')])
    expect(texts()).toEqual(['b'])
  })

  it('rotates over no archive that had the time already', async () => {
    const { opened, clock, texts, names } = world()
    const sink = await opened({ rotateBytes: 1 })
    for (const text of ['a', 'b', 'c']) {
      await sink.write([entry(text), entry(`${text}'`)])
      await sink.idle?.()
      clock.advance(HOUR)
      setBack(clock, HOUR)
    }
    const archives = names().filter((name) => name.startsWith('audit-'))
    expect(archives.flatMap((name) => texts(name)).sort()).toEqual(['a', "a'", 'b', "b'", 'c', "c'"])
    expect(archives).toHaveLength(3)
  })

  it('does not keep a deleted file from being noticed within a second', async () => {
    const { opened, clock, path, texts } = world()
    const sink = await opened()
    setBack(clock, DAY)
    unlinkSync(path)
    clock.advance(1000)
    await sink.write([entry('a')])
    expect(texts()).toEqual(['a'])
  })

  it('deletes the archives of this process in the order in which they were made', async () => {
    const { opened, clock, recorded, names } = world()
    const sink = await opened({ rotateBytes: 1, rotateMaxFiles: 2 })
    const rotate = async (text: string): Promise<void> => {
      clock.advance(1000)
      // A file that holds nothing but the records of a rotation and a deletion is not rotated.
      await sink.write([entry(text), entry(text), entry(text)])
      await sink.idle?.()
    }
    for (const text of ['a', 'b']) await rotate(text)
    setBack(clock, 10 * DAY)
    for (const text of ['c', 'd']) await rotate(text)
    const deleted = (): unknown[] => recorded.filter(({ type }) => type === 'retention')
    // By the monotonic clock, which is not set: the oldest go, and not those whose names are the oldest.
    expect(deleted()).toMatchObject([
      { deleted: 'audit-2026-03-24T17-09-36.704Z.log' },
      { deleted: 'audit-2026-03-24T17-09-37.704Z.log' },
    ])
    expect(names().filter((name) => name.startsWith('audit-'))).toEqual([
      'audit-2026-03-14T17-09-38.704Z.log',
      'audit-2026-03-14T17-09-39.704Z.log',
    ])
  })

  it('does not let an archive of the time to come look old', () => {
    const options = { rotateMaxFiles: 1, rotateMaxAge: HOUR, rotateMinAge: 0 }
    const archive = { name: 'x', time: START, number: 0 }
    expect(
      expired(
        [-1, -DAY].map((age) => ({ ...archive, age })),
        options,
      ),
    ).toEqual([])
  })

  it('does not keep the lock of a process that is gone for ever', async () => {
    const all = world()
    const sink = await all.opened()
    await sink.close?.()
    writeFileSync(`${all.path}.lock`, '{"pid":1,"host":"another"}')
    const renewed = (all.clock.now() + DAY) / 1000
    utimesSync(`${all.path}.lock`, renewed, renewed)
    await all.opened({ lockTimeout: 11_000 })
    expect(all.names()).toEqual(['audit.log', 'audit.log.lock'])
  })
})
