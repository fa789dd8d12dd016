import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkSource } from '../../../src/sinks/file/chunk-source.js'
import { compressionOf, decompressed } from '../../../src/sinks/file/compression.js'
import { frameBytes } from '../../../src/sinks/file/zstd-frames.js'
import { HAS_ZSTD, zstdFrame } from '../../support/zstd.js'

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The output, and the message of the error at the end. */
async function outcomeOf(bytes: Buffer, size = 7): Promise<{ text: string; error: string | undefined }> {
  const parts: Buffer[] = []
  try {
    for await (const part of decompressed(chunksOf(bytes, size))) parts.push(part)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return { text: String(Buffer.concat(parts)), error: error.message }
  }
  return { text: String(Buffer.concat(parts)), error: undefined }
}

/** As the zstd program writes them: with a checksum, without, with a size, an empty one, and one with a long run. */
const WRITTEN = [
  '28b52ffd0458c5000090736f6d6520746578742c203b207a7374642e0100a68b17484fd8c4',
  '28b52ffd0058c5000090736f6d6520746578742c203b207a7374642e0100a68b17',
  '28b52ffd2426c5000090736f6d6520746578742c203b207a7374642e0100a68b17484fd8c4',
  '28b52ffd240001000099e9d851',
  '28b52ffd04585400001061620100fbffe50e0b4d0000086101003c0d391002e8c57102',
].map((hex) => Buffer.from(hex, 'hex'))
const SKIPPABLE = Buffer.from([0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

describe('decompressed', () => {
  it('gives the text back, compressed in any number of parts, however the bytes arrive', async () => {
    const compress: Array<(text: string) => Buffer> = [
      zlib.gzipSync,
      ...(HAS_ZSTD ? [(text: string) => zstdFrame(text, 50)] : []),
    ]
    const parts = fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        parts,
        fc.constantFrom(...compress),
        fc.integer({ min: 1, max: 99 }),
        async (texts, make, size) => {
          expect(await outcomeOf(Buffer.concat(texts.map(make)), size)).toEqual({
            text: texts.join(''),
            error: undefined,
          })
        },
      ),
      { numRuns: 50 },
    )
  })

  it('passes an uncompressed text through', async () => {
    for (const text of ['', '{', 'P', '{"created_at":"2026"}\n'.repeat(20)]) {
      expect(await outcomeOf(Buffer.from(text))).toEqual({ text, error: undefined })
    }
  })

  it('reports any part of a compressed text as cut, and gives its readable beginning', async () => {
    const whole = zlib.gzipSync('one line\n'.repeat(10))
    for (let length = 3; length < whole.length; length++) {
      const { text, error } = await outcomeOf(whole.subarray(0, length))
      expect('one line\n'.repeat(10).startsWith(text)).toBe(true)
      expect(error).toBe('unexpected end of file')
    }
  })

  it.each([
    ['zeros', Buffer.alloc(10)],
    ['zeros and another part', Buffer.concat([Buffer.alloc(10), zlib.gzipSync('b\n')])],
    ['text', Buffer.from('b\n')],
  ])('does not pass %s over after the end of what was compressed', async (_, rest) => {
    for (const size of [1, 7, 1000]) {
      expect((await outcomeOf(Buffer.concat([zlib.gzipSync('a\n'), rest]), size)).error).toMatch(
        /something else|incorrect/,
      )
    }
  })

  it.each([
    [
      'xz',
      'fd377a585a000004e6d6b4460200210116000000742fe5a3010001610a00000013473fb8939d45d400011a02dc2ea57e1fb6f37d010000000004595a',
    ],
    ['bzip2', '425a6839314159265359633ed6e2000000c100001020002000210082b177245385090633ed6e20'],
  ])('names %s as what is not read here', async (name, hex) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(await outcomeOf(bytes)).toMatchObject({ text: '', error: expect.stringContaining(`compressed by ${name}`) })
  })
})

describe('the frames of zstd', () => {
  async function framesOf(bytes: Buffer, size = 5): Promise<string[]> {
    const source = new ChunkSource(chunksOf(bytes, size))
    const frames: string[] = []
    while ((await source.peek(1)).length > 0) {
      const parts: Buffer[] = []
      for await (const part of frameBytes(source)) parts.push(part)
      frames.push(Buffer.concat(parts).toString('hex'))
    }
    return frames
  }

  it('are told apart as the zstd program writes them', async () => {
    const all = [...WRITTEN, SKIPPABLE, zstdFrame('x', 10)]
    expect(await framesOf(Buffer.concat(all))).toEqual(all.map((each) => each.toString('hex')))
  })

  it('are cut wherever their bytes end before they do', async () => {
    const [whole = Buffer.alloc(0)] = WRITTEN
    for (let length = 1; length < whole.length; length++) {
      await expect(framesOf(whole.subarray(0, length))).rejects.toThrow('its end is missing')
    }
  })

  it('are followed by nothing else', async () => {
    await expect(framesOf(Buffer.concat([zstdFrame('a', 9), Buffer.from('{"created_at"')]))).rejects.toThrow(
      'something else',
    )
  })

  it('are decompressed, or said to need a newer Node', async () => {
    const bytes = Buffer.concat([zstdFrame('one\n', 2), SKIPPABLE, zstdFrame('two\n', 9)])
    const { text, error } = await outcomeOf(bytes)
    expect(compressionOf(bytes)).toBe('zstd')
    if (HAS_ZSTD) expect({ text, error }).toEqual({ text: 'one\ntwo\n', error: undefined })
    else expect({ text, error }).toEqual({ text: '', error: expect.stringContaining('needs Node 22.15') })
  })
})
