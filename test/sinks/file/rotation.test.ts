import { linkSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entry, HOUR, START, world } from './world.js'

const FIRST = 'audit-2026-03-24T17-09-35.704Z.log'

describe('rotation', () => {
  it('by size: between batches, and the active file keeps its name', async () => {
    const { opened, texts, recorded, names } = world()
    const sink = await opened({ rotateBytes: 100 })
    await sink.write([entry('a')])
    await sink.write([entry('b'), entry('c')])
    await sink.write([entry('d')])
    expect(texts(FIRST)).toEqual(['a', 'b', 'c'])
    expect(texts()).toEqual(['d'])
    const bytes = 3 * (entry('a').line.length + 1)
    expect(recorded).toEqual([{ type: 'rotation', archive: FIRST, bytes, reason: 'size' }])
    expect(names()).toEqual([FIRST, 'audit.log', 'audit.log.lock'])
  })

  it('by the age of its first entry, when idle too', async () => {
    const { opened, clock, texts, recorded } = world()
    const sink = await opened({ rotateDuration: HOUR })
    await sink.write([entry('a', clock.now())])
    clock.advance(HOUR - 1)
    await sink.idle?.()
    expect(recorded).toEqual([])
    clock.advance(1)
    await sink.idle?.()
    expect(recorded).toMatchObject([{ type: 'rotation', archive: 'audit-2026-03-24T18-09-35.704Z.log', reason: 'age' }])
    expect(texts('audit-2026-03-24T18-09-35.704Z.log')).toEqual(['a'])
    expect(texts()).toEqual([])
  })

  it('counts age and size from the disk, so that a restart changes nothing', async () => {
    const { opened, clock, recorded } = world()
    const first = await opened({ rotateDuration: HOUR })
    await first.write([entry('a', clock.now())])
    clock.advance(HOUR / 2)
    await first.close?.()
    const second = await opened({ rotateDuration: HOUR })
    await second.idle?.()
    expect(recorded).toEqual([])
    clock.advance(HOUR / 2)
    await second.idle?.()
    expect(recorded).toHaveLength(1)
    await second.write([entry('b'), entry('c')])
    await second.close?.()
    await (await opened({ rotateBytes: 100 })).idle?.()
    expect(recorded.at(-1)).toMatchObject({ reason: 'size' })
  })

  it("takes the file's own times where the first line has none, and never a time to come", async () => {
    const { opened, path, clock, recorded } = world()
    // Made in the year this test runs, which may be before or after the clock of this world.
    writeFileSync(path, '{"created_at":"2999-01-01T00:00:00.000Z","text":"from a clock that was wrong"}\n')
    const sink = await opened({ rotateDuration: HOUR })
    clock.advance(Math.max(0, Date.now() - START) + 2 * HOUR)
    await sink.idle?.()
    expect(recorded).toMatchObject([{ reason: 'age' }])
  })

  it('leaves an empty file alone, however old', async () => {
    const { opened, clock, names } = world()
    const sink = await opened({ rotateDuration: HOUR, rotateBytes: 1 })
    clock.advance(100 * HOUR)
    await sink.idle?.()
    expect(names()).toEqual(['audit.log', 'audit.log.lock'])
  })

  it('leaves a file alone that holds its own records only, or each rotation would cause the next', async () => {
    const { opened, clock, recorded, texts } = world()
    const sink = await opened({ rotateBytes: 1, rotateDuration: 1, rotateMaxFiles: 1 })
    let told = 0
    const settle = async (): Promise<void> => {
      for (; told < recorded.length; told++) await sink.write([entry(`record ${told}`)])
    }
    for (const text of ['a', 'b', 'c']) {
      await sink.write([entry(text)])
      await settle()
      clock.advance(1000)
      await sink.idle?.()
      await settle()
      clock.advance(1000)
      await sink.idle?.()
    }
    expect(recorded.map(({ type }) => type)).toEqual(['rotation', 'rotation', 'retention', 'rotation', 'retention'])
    expect(texts()).toEqual(['record 3', 'record 4'])
  })

  it('never replaces another file: it counts on', async () => {
    const { opened, directory, texts } = world()
    writeFileSync(join(directory, FIRST), `${entry('not yours').line}\n`)
    const sink = await opened({ rotateBytes: 1 })
    for (const text of ['a', 'b', 'c']) await sink.write([entry(text), entry(text)])
    expect(texts(FIRST)).toEqual(['not yours'])
    expect(texts('audit-2026-03-24T17-09-35.704Z-1.log')).toEqual(['a', 'a'])
    expect(texts('audit-2026-03-24T17-09-35.704Z-2.log')).toEqual(['b', 'b'])
    expect(texts()).toEqual(['c', 'c'])
  })

  it('works for a name without an extension', async () => {
    const { opened, directory, names } = world()
    const sink = await opened({ path: join(directory, 'audit'), rotateBytes: 1 })
    await sink.write([entry('a')])
    await sink.idle?.()
    expect(names()).toEqual(['audit', 'audit-2026-03-24T17-09-35.704Z', 'audit.lock'])
  })

  it('syncs the directory before the archive loses its first name, and before the next entry is acknowledged', async () => {
    const { opened, fs } = world()
    const sink = await opened({ rotateBytes: 1, fsync: true })
    await sink.write([entry('a')])
    fs.calls.length = 0
    await sink.write([entry('b')])
    const order = fs.calls
      .filter((call) => /^(link|rename|sync|datasync) /.test(call))
      .map((call) => call.split(' ')[0])
    expect(order).toEqual(['link', 'sync', 'rename', 'sync', 'datasync'])
  })

  it.each([
    ['making the successor', { op: 'open', on: '.next' }],
    ['giving the archive its name', { op: 'link', on: 'Z.log' }],
    ['putting the successor in place', { op: 'rename' }],
  ] as const)('that fails at %s fails no write, is logged once, and is done later', async (_name, where) => {
    const { opened, fs, clock, texts, logged, recorded, names } = world()
    const sink = await opened({ rotateBytes: 1 })
    await sink.write([entry('a')])
    const fault = fs.plan({ ...where, code: 'ENOSPC', times: 2 })
    await sink.write([entry('b')])
    await sink.write([entry('c')])
    clock.advance(1000)
    await sink.idle?.()
    expect(fault.hits).toBe(2)
    expect(texts()).toEqual(['a', 'b', 'c'])
    expect(recorded).toEqual([])
    expect(logged).toEqual(['the audit file cannot be rotated; it is written to as before'])
    clock.advance(1000)
    await sink.idle?.()
    const archive = names().find((name) => name.startsWith('audit-'))
    expect(recorded).toMatchObject([{ type: 'rotation', archive }])
    expect(texts(archive)).toEqual(['a', 'b', 'c'])
    expect(names()).toEqual([archive, 'audit.log', 'audit.log.lock'])
    expect(logged.at(-1)).toBe('no longer: the audit file cannot be rotated; it is written to as before')
  })

  it('that a crash interrupted is finished on opening: no line stands in two files', async () => {
    const { opened, directory, path, texts, names } = world()
    writeFileSync(path, `${entry('a').line}\n`)
    linkSync(path, join(directory, FIRST))
    writeFileSync(`${path}.next`, '')
    const sink = await opened()
    await sink.write([entry('b')])
    expect(texts(FIRST)).toEqual(['a'])
    expect(texts()).toEqual(['b'])
    expect(names()).toEqual([FIRST, 'audit.log', 'audit.log.lock'])
  })

  it('gives one name only when a network file system repeats the link', async () => {
    const { opened, fs, texts, names } = world()
    const sink = await opened({ rotateBytes: 1 })
    await sink.write([entry('a')])
    const link = fs.link
    fs.link = async (from, to) => {
      await link(from, to)
      await link(from, to)
    }
    await sink.write([entry('b')])
    expect(texts(FIRST)).toEqual(['a'])
    expect(names()).toEqual([FIRST, 'audit.log', 'audit.log.lock'])
  })

  it('waits while another file stands at its path, which it would replace', async () => {
    const { opened, path, clock, texts, recorded } = world()
    const sink = await opened({ rotateBytes: 1 })
    await sink.write([entry('a')])
    renameSync(path, `${path}.1`)
    writeFileSync(path, `${entry('theirs').line}\n`)
    await sink.idle?.()
    expect(texts()).toEqual(['theirs'])
    expect(recorded).toEqual([])
    clock.advance(1000)
    await sink.idle?.()
    expect(texts(FIRST.replace('35', '36'))).toEqual(['theirs'])
    expect(texts('audit.log.1')).toEqual(['a'])
  })

  it('keeps its hands off a file that stands where the successor would', async () => {
    const { opened, path, read, texts } = world()
    writeFileSync(`${path}.next`, 'not yours')
    const sink = await opened({ rotateBytes: 1 })
    await sink.write([entry('a')])
    await sink.write([entry('b')])
    expect(read('audit.log.next')).toBe('not yours')
    expect(texts()).toEqual(['a', 'b'])
  })

  it('loses and repeats no line over many rotations', async () => {
    const { opened, directory, texts } = world()
    const sink = await opened({ rotateBytes: 300 })
    for (let index = 0; index < 200; index++) await sink.write([entry(String(index)), entry(`${index}b`)])
    const files = readdirSync(directory).filter((name) => name.endsWith('.log'))
    const all = files.flatMap((name) => texts(name))
    expect(files.length).toBeGreaterThan(30)
    expect(all.sort()).toEqual(
      Array.from({ length: 200 }, (_, index) => [String(index), `${index}b`])
        .flat()
        .sort(),
    )
  })
})
