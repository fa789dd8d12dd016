import { renameSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { FileSinkOptions } from '../../../src/sinks/file/file-sink.js'
import { STORED } from '../../../src/sinks/sink.js'
import { entry, world } from './world.js'

/** A sink whose disk has been looked at. */
async function onDisk(isLocal: boolean | undefined, options: Partial<FileSinkOptions> = {}) {
  const made = world()
  const { opened, fs } = made
  fs.room = Promise.resolve({ free: 2 ** 40, total: 2 ** 40, ...(isLocal !== undefined && { isLocal }) })
  const sink = await opened(options)
  await sink.write([entry('first')])
  await sink.idle?.()
  fs.writes.length = 0
  return { ...made, sink }
}

it('needs no promise where nothing is to be waited for, and only there', async () => {
  const local = await onDisk(true)
  expect(local.sink.write([entry('second')])).toBe(STORED)
  const durable = await onDisk(true, { fsync: true })
  const second = durable.sink.write([entry('second')])
  expect(second).not.toBe(STORED)
  await second
  const remote = await onDisk(false)
  expect(remote.sink.write([entry('second')])).not.toBe(STORED)
  for (const { sink } of [local, durable, remote]) await sink.close?.()
})

it.each([
  ['size', { rotateBytes: 100, rotateDuration: 0 }, 0],
  ['age', { rotateBytes: 0, rotateDuration: 5000 }, 5000],
] as const)('rotates by %s between direct writes', async (reason, options, wait) => {
  const { sink, fs, clock, texts, recorded } = await onDisk(true, options)
  await sink.write([entry('second')])
  clock.advance(wait)
  await sink.write([entry('third')])
  await sink.write([entry('fourth')])
  expect(recorded).toEqual([expect.objectContaining({ type: 'rotation', reason })])
  expect(texts()).toEqual(['third', 'fourth'])
  expect(fs.writes).toEqual(['direct', 'direct', 'direct'])
  await sink.close?.()
})

it('sees within a second that the file was moved away between direct writes', async () => {
  const { sink, clock, path, texts } = await onDisk(true)
  await sink.write([entry('second')])
  renameSync(path, `${path}.moved`)
  await sink.write([entry('third')])
  clock.advance(1000)
  await sink.write([entry('fourth')])
  expect(texts()).toEqual(['fourth'])
  expect(texts('audit.log.moved')).toEqual(['first', 'second', 'third'])
  await sink.close?.()
})

it('writes on the thread that asks where the disk is of this machine, as soon as it has been looked at', async () => {
  const { sink, fs, texts } = await onDisk(true)
  await sink.write([entry('second'), entry('third')])
  expect(fs.writes).toEqual(['direct'])
  expect(texts()).toEqual(['first', 'second', 'third'])
  await sink.close?.()
})

it.each([false, undefined])(
  'leaves it to other threads where it may lie on the network (local: %s)',
  async (isLocal) => {
    const { sink, fs } = await onDisk(isLocal)
    await sink.write([entry('second')])
    expect(fs.writes).toEqual(['by a thread'])
    await sink.close?.()
  },
)

it('leaves it to other threads for a hundred times as long as a write made it wait', async () => {
  const { sink, fs, clock, texts } = await onDisk(true)
  let slowness = 20
  fs.whileDirect = () => clock.advance(slowness)
  await sink.write([entry('2')])
  slowness = 21
  await sink.write([entry('3')])
  await sink.write([entry('4')])
  clock.advance(2099)
  await sink.write([entry('5')])
  clock.advance(1)
  await sink.write([entry('6')])
  expect(fs.writes).toEqual(['direct', 'direct', 'by a thread', 'by a thread', 'direct'])
  expect(texts()).toEqual(['first', '2', '3', '4', '5', '6'])
  await sink.close?.()
})

it.each(['ENOSPC', 'EIO'])('cuts back the rest of a direct write that failed with %s', async (code) => {
  const { sink, fs, texts } = await onDisk(true)
  fs.plan({ op: 'write', code, bytes: 10 })
  await expect(sink.write([entry('lost')])).rejects.toThrow('was undone')
  await sink.write([entry('second')])
  expect(texts()).toEqual(['first', 'second'])
  await sink.close?.()
})

it('writes directly only after whole lines', async () => {
  const { sink, fs, texts } = await onDisk(true)
  fs.plan({ op: 'write', code: 'EIO', bytes: 10 })
  fs.plan({ op: 'truncate', code: 'EIO' })
  await expect(sink.write([entry('lost')])).rejects.toThrow('in doubt')
  await sink.write([entry('second')])
  expect(texts()).toEqual(['first', 'second'])
  await sink.close?.()
})

it('writes a batch of any size and any characters whole, each time anew', async () => {
  const { sink, texts } = await onDisk(true)
  const lines = ['a', '\u{1f600}'.repeat(327_670), 'b'.repeat(1_400_000), '\u20ac'.repeat(436_890), 'c']
  for (const line of lines) await sink.write([entry(line)])
  expect(texts()).toEqual(['first', ...lines])
  await sink.close?.()
})
