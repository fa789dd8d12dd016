import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTorn, LineCutter, linesIn, MAX_LINE, wholeLines } from '../../src/reader/lines.js'

async function* chunksOf(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) return
    yield bytes.subarray(at, at + size)
    at += size
  }
  if (at < bytes.length) yield bytes.subarray(at)
}

async function partsOf(source: AsyncIterable<Buffer>): Promise<{ parts: Buffer[]; tooLong: number }> {
  const parts: Buffer[] = []
  let tooLong = 0
  for await (const part of wholeLines(source, () => void tooLong++)) parts.push(part)
  return { parts, tooLong }
}

describe('wholeLines', () => {
  it('gives the same lines however the stream is cut, whole ones but for the last', async () => {
    const text = fc.array(fc.constantFrom('', 'a', 'é', '漢字', '{"x":1}'), { maxLength: 20 })
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), sizes, async (lines, isWhole, cuts) => {
        const whole = lines.map((line) => `${line}\n`).join('') + (isWhole ? '' : 'torn')
        const { parts } = await partsOf(chunksOf(whole, cuts))
        expect(parts.flatMap((part) => [...linesIn(part)].map(String))).toEqual(isWhole ? lines : [...lines, 'torn'])
        expect(parts.map(isTorn)).toEqual(parts.map((_, index) => !isWhole && index === parts.length - 1))
      }),
    )
  })

  it('skips a line that is too long, and holds none of it', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const cutter = new LineCutter(() => undefined)
    expect(cutter.push(Buffer.from('before\nbegin'))).toHaveLength(1)
    for (let size = 0; size <= MAX_LINE; size += chunk.length) expect(cutter.push(chunk)).toEqual([])
    expect(cutter.push(Buffer.from('end\nafter\n')).map(String)).toEqual(['after\n'])

    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('before\n')
      for (let size = 0; size <= MAX_LINE; size += chunk.length) yield chunk
      yield Buffer.from('\nafter\n')
    }
    const { parts, tooLong } = await partsOf(source())
    expect(parts.map(String)).toEqual(['before\n', 'after\n'])
    expect(tooLong).toBe(1)
  })
})
