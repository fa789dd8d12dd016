import { expect, it } from 'vitest'
import { entry, world } from './world.js'

const GIB = 2 ** 30

it('warns once of a disk that is nearly full, and says when it has room again', async () => {
  const { opened, fs, clock, logged } = world()
  const sink = await opened()
  const look = async (free: number, total: number) => {
    fs.room = Promise.resolve({ free, total })
    clock.advance(60_000)
    await sink.idle?.()
    return logged.filter((message) => message.includes('the disk of the audit file')).length
  }
  expect(await look(11 * GIB, 100 * GIB)).toBe(0)
  expect(await look(9 * GIB, 100 * GIB)).toBe(1)
  expect(await look(8 * GIB, 100 * GIB)).toBe(1)
  expect(await look(11 * GIB, 100 * GIB)).toBe(2)
  expect(await look(GIB - 1, 2 * GIB)).toBe(3)
  await sink.close?.()
})

it('is looked at once a minute, and when that fails nothing else does', async () => {
  const { opened, fs, clock, logged } = world()
  const sink = await opened()
  const looks = () => fs.calls.filter((call) => call.startsWith('space')).length
  fs.plan({ op: 'space', code: 'EIO' })
  await sink.idle?.()
  clock.advance(59_000)
  await sink.idle?.()
  expect(looks()).toBe(1)
  expect(logged.some((message) => message.includes('free space'))).toBe(true)
  await sink.write([entry('stored')])
  clock.advance(1000)
  await sink.idle?.()
  expect(looks()).toBe(2)
  await sink.close?.()
})
