import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { entry, entryOf, world } from './world.js'

const sealed = (text: string): string => `{"text":"${text}","prev":"${'0'.repeat(64)}","hash":"${'a'.repeat(64)}"}`
const isSealed = (line: string): boolean => line.includes('"hash"')

const line = fc.oneof(
  fc.string({ maxLength: 200, unit: 'grapheme-ascii' }).map((text) => JSON.stringify({ text })),
  fc.nat(200_000).map((length) => JSON.stringify({ text: 'x'.repeat(length) })),
  fc.nat(300).map((length) => sealed('y'.repeat(length))),
)

it('finds the last sealed line, whatever stands after it, in any file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(line, { minLength: 2, maxLength: 6 }), { maxLength: 4 }), async (files) => {
      const { opened, clock, names } = world()
      const sink = await opened({ rotateBytes: 1 })
      for (const lines of files) {
        await sink.write(lines.map(entryOf))
        // The next write rotates the file, which holds more than the records of a rotation.
        clock.advance(1)
      }
      const lines = files.flat()
      expect(await sink.tail?.({ sealed: true })).toBe(lines.findLast(isSealed))
      expect(names().filter((name) => name.endsWith('.log'))).toHaveLength(files.length + 1)
      expect(await sink.tail?.()).toBe(lines.at(-1))
      await sink.close?.()
    }),
    { numRuns: 60 },
  )
})

it('finds it in archives that somebody has compressed, and skips those that cannot be decompressed', async () => {
  const { opened, clock, directory, names, logged } = world()
  const sink = await opened({ rotateBytes: 1 })
  const texts = ['1', '2', '3'].map(sealed)
  for (const text of texts) {
    await sink.write([entryOf(text), entry('x')])
    clock.advance(1)
  }
  await sink.write([entry('y')])
  const archives = names().filter((name) => /-.*\.log$/.test(name))
  expect(archives).toHaveLength(3)
  for (const name of archives) {
    const path = join(directory, name)
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)))
    rmSync(path)
  }
  expect(await sink.tail?.({ sealed: true })).toBe(texts[2])
  writeFileSync(join(directory, archives[2] ?? ''), `${texts[1]}\n`)
  expect(await sink.tail?.({ sealed: true })).toBe(texts[1])
  rmSync(join(directory, archives[2] ?? ''))
  truncateSync(join(directory, `${archives[2]}.gz`), 60)
  writeFileSync(join(directory, `${archives[1]}.gz`), Buffer.from('28b52ffd00', 'hex'))
  expect(await sink.tail?.({ sealed: true })).toBe(texts[0])
  expect(logged.filter((message) => message.includes('cannot be decompressed'))).toHaveLength(2)
})

it('finds a seal that lies across two parts of what is read', async () => {
  const { opened } = world()
  const sink = await opened()
  await sink.write([entryOf(sealed(''))])
  // 64 KiB are read at a time: the sealed line ends at each place around such a bound.
  for (let length = 65_536 - 260; length < 65_536 + 20; length += 1) {
    const text = sealed(String(length))
    await sink.write([entryOf(text), entry('z'.repeat(length - 60))])
    expect(await sink.tail?.({ sealed: true })).toBe(text)
  }
})

it('reads no more than the end of a line that is too long to be its own', async () => {
  const { opened, directory } = world()
  const length = 17 * 1024 * 1024
  const text = sealed('x'.repeat(length))
  writeFileSync(join(directory, 'audit.log'), `${text}\n`)
  const sink = await opened()
  for (const found of [await sink.tail?.(), await sink.tail?.({ sealed: true })]) {
    expect(found?.length).toBe(16 * 1024 * 1024)
    expect(text.endsWith(found ?? '-')).toBe(true)
  }
})

it('opens a long trail without a seal before it searches for one', async () => {
  const { opened, directory, fs } = world()
  for (let day = 10; day < 20; day++) {
    writeFileSync(join(directory, `audit-2026-01-${day}T00-00-00.000Z.log`), '{}\n'.repeat(3))
  }
  const archivesRead = (): number => fs.calls.filter((call) => call.startsWith('open audit-')).length
  const sink = await opened({ sealed: true })
  expect(archivesRead()).toBe(1)
  expect(await sink.tail?.({ sealed: true })).toBeUndefined()
  expect(archivesRead()).toBe(11)
})
