import { ENDING_BYTES, isSealedLine } from '../../event/seal-line.js'
import { decompressed } from './compression.js'
import type { FileSystem } from './fs.js'

const CHUNK = 256 * 1024
const NEWLINE = 0x0a
/** The longest line that is read, so that no file can fill the memory; the plugin writes no longer one. */
export const MAX_LINE = 16 * 1024 * 1024

/** The last whole line in an open compressed file, or the last that has a seal. It is read to its end. */
export async function lastCompressedLine(
  fs: FileSystem,
  fd: number,
  size: number,
  isSealed: boolean,
): Promise<string | undefined> {
  let found: Buffer | undefined
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of decompressed(chunksOf(fs, fd, size))) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    found = lastIn(text, isSealed) ?? found
    const begun = text.subarray(text.lastIndexOf(NEWLINE) + 1)
    rest = begun.length > MAX_LINE ? Buffer.alloc(0) : begun
  }
  return found?.toString()
}

function lastIn(text: Buffer, isSealed: boolean): Buffer | undefined {
  for (let end = text.lastIndexOf(NEWLINE); end !== -1; ) {
    const newline = end === 0 ? -1 : text.lastIndexOf(NEWLINE, end - 1)
    const line = text.subarray(newline + 1, end)
    if (!isSealed || isSealedLine(line.toString('latin1', Math.max(0, line.length - ENDING_BYTES)))) return line
    end = newline
  }
  return undefined
}

async function* chunksOf(fs: FileSystem, fd: number, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at))
    const count = await fs.read(fd, chunk, at)
    if (count === 0) return
    at += count
    yield chunk.subarray(0, count)
  }
}
