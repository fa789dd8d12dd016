import fc from 'fast-check'
import { expect, it } from 'vitest'
import { entry, entryOf, HOUR, world } from './world.js'

const sealed = (text: string): string => `{"text":"${text}","prev":"${'0'.repeat(64)}","hash":"${'a'.repeat(64)}"}`
const isSealed = (line: string): boolean => line.includes('"hash"')

const line = fc.oneof(
  fc.string({ maxLength: 200, unit: 'grapheme-ascii' }).map((text) => JSON.stringify({ text })),
  fc.nat(200_000).map((length) => JSON.stringify({ text: 'x'.repeat(length) })),
  fc.nat(300).map((length) => sealed('y'.repeat(length))),
)

it('says which sealed line is the last, whatever stands after it, and in whichever file it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(line, { minLength: 1, maxLength: 6 }), { maxLength: 4 }), async (files) => {
      const { opened, clock } = world()
      const sink = await opened({ rotateDuration: HOUR })
      for (const lines of files) {
        await sink.write(lines.map(entryOf))
        // The next write finds it old enough to rotate.
        clock.advance(2 * HOUR)
      }
      const lines = files.flat()
      expect(await sink.tail?.({ sealed: true })).toBe(lines.findLast(isSealed))
      expect(await sink.tail?.()).toBe(lines.at(-1))
      await sink.close?.()
    }),
    { numRuns: 60 },
  )
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
