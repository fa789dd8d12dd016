import { appendFileSync, linkSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AuditSinkOpenFailed } from '../../../src/errors.js'
import type { FileSink, FileSinkOptions } from '../../../src/sinks/file/file-sink.js'
import { entry, type World, world } from './world.js'

it('lets go of everything when a file comes to stand in its directory’s place, and works when that is gone', async () => {
  const { opened, directory, clock, fs, texts } = world()
  const above = join(directory, 'below')
  const sink = await opened({ path: join(above, 'audit.log') })
  await sink.write([entry('a')])
  renameSync(above, join(directory, 'moved'))
  writeFileSync(above, '')
  clock.advance(1000)
  fs.calls.length = 0
  const refused = sink.write([entry('b')])
  await expect(refused).rejects.toBeInstanceOf(AuditSinkOpenFailed)
  await expect(refused).rejects.toThrow('ENOTDIR')
  // An open descriptor keeps an unmounted disk from being mounted again.
  expect(fs.calls.filter((call) => call.startsWith('close audit.log'))).toHaveLength(2)
  unlinkSync(above)
  await sink.write([entry('c')])
  expect(texts('below/audit.log')).toEqual(['c'])
  expect(texts('moved/audit.log')).toEqual(['a'])
})

describe('an entry stored since the file was last seen', () => {
  const DELETED = expect.stringContaining('deleted by somebody else')

  /** A sink with one entry that was seen, and two that were not. */
  async function stored(all: World, options: Partial<FileSinkOptions> = {}): Promise<FileSink> {
    const sink = await all.opened(options)
    await sink.write([entry('seen')])
    all.clock.advance(1000)
    await sink.idle?.()
    await sink.write([entry('a'), entry('b')])
    return sink
  }

  it.each<[string, (sink: FileSink, all: World) => unknown]>([
    ['at the next look', (_sink, { clock }) => clock.advance(1000)],
    ['on reopen()', (sink) => sink.reopen?.()],
    ['on closing', (sink) => sink.close?.()],
  ])('is in doubt when it was deleted: noticed %s', async (_when, notice) => {
    const all = world()
    const sink = await stored(all)
    unlinkSync(all.path)
    await notice(sink, all)
    await sink.idle?.().catch((error: unknown) => expect(error).toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' }))
    expect(all.doubted).toEqual([2])
    expect(all.logged).toEqual([DELETED])
  })

  it('is in doubt when it was deleted with its directory', async () => {
    const all = world()
    const path = join(all.directory, 'below', 'audit.log')
    const sink = await stored(all, { path })
    rmSync(join(all.directory, 'below'), { recursive: true })
    all.clock.advance(1000)
    await sink.write([entry('c')])
    expect(all.doubted).toEqual([2])
    expect(all.logged).toEqual([expect.stringContaining('the lock of the audit file was taken'), DELETED])
    expect(all.texts('below/audit.log')).toEqual(['c'])
  })

  it('is in doubt, once, when the file is shorter than it was', async () => {
    const all = world()
    const sink = await stored(all)
    truncateSync(all.path, 0)
    all.clock.advance(1000)
    const fault = all.fs.plan({ op: 'read', on: 'audit.log', code: 'EIO' })
    appendFileSync(all.path, 'torn')
    await expect(sink.idle?.()).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    expect(fault.hits).toBe(1)
    await sink.idle?.()
    expect(all.doubted).toEqual([2])
  })

  it.each<[string, (path: string) => void]>([
    ['is renamed', (path) => renameSync(path, `${path}.1`)],
    ['has another name', (path) => [linkSync(path, `${path}.1`), unlinkSync(path)]],
    ['is appended to', (path) => appendFileSync(path, 'theirs\n')],
  ])('is where it was when the file %s', async (_name, change) => {
    const all = world()
    const sink = await stored(all)
    change(all.path)
    all.clock.advance(1000)
    await sink.idle?.()
    expect(all.doubted).toEqual([])
    expect(all.logged).toHaveLength(1)
  })

  it('is safe in an archive when the file that followed is deleted', async () => {
    const all = world()
    const sink = await stored(all, { rotateBytes: 1 })
    // Rotates, and stores an entry in the new file, which may be lost.
    await sink.write([entry('c')])
    unlinkSync(all.path)
    await sink.reopen?.()
    expect(all.doubted).toEqual([1])
  })
})
