import { type FileHandle, open } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { TrailFile } from './files.js'

/** A line that is longer is none that the plugin wrote: it is passed over, so that no file can fill the memory. */
export const MAX_LINE = 16 * 1024 * 1024

const CHUNK = 256 * 1024
const NEWLINE = 0x0a
const GZIP_MAGIC = [0x1f, 0x8b]

/** What a file holds, decompressed if need be; `onBytes` is told what is read of the file itself. */
export async function* contentOf(file: TrailFile, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  if (file.size === 0) return
  const handle = file.handle ?? (await open(file.path, 'r'))
  try {
    const raw = bytesOf(handle, file.size, onBytes)
    if (!(await isGzip(handle))) return yield* raw
    const gunzip = createGunzip({ chunkSize: CHUNK })
    // What goes wrong in either reaches whoever reads the second.
    pipeline(Readable.from(raw), gunzip, () => undefined)
    yield* gunzip
  } finally {
    if (file.handle === undefined) await handle.close()
  }
}

/**
 * Cuts a stream into parts that are whole lines, each with its line feed; only the very last one may lack it.
 * `onTooLong` is told of each line that is passed over.
 */
export async function* wholeLines(source: AsyncIterable<Buffer>, onTooLong: () => void): AsyncGenerator<Buffer> {
  const cutter = new LineCutter(onTooLong)
  for await (const chunk of source) yield* cutter.push(chunk)
  const rest = cutter.rest()
  if (rest !== undefined) yield rest
}

/** Makes parts that are whole lines of chunks that are not. */
export class LineCutter {
  /** The begun line. */
  private begun: Buffer[] = []
  private length = 0
  /** The begun line is too long, and is passed over. */
  private isPassing = false

  constructor(private readonly onTooLong: () => void) {}

  push(chunk: Buffer): Buffer[] {
    const first = chunk.indexOf(NEWLINE) + 1
    if (first === 0) {
      this.extend(chunk)
      return []
    }
    this.extend(chunk.subarray(0, first))
    const last = chunk.lastIndexOf(NEWLINE) + 1
    const line = this.rest()
    if (last < chunk.length) this.extend(chunk.subarray(last))
    return [...(line === undefined ? [] : [line]), ...(last > first ? [chunk.subarray(first, last)] : [])]
  }

  /** What is begun, of which the cutter lets go; `undefined` when there is nothing. */
  rest(): Buffer | undefined {
    const { begun } = this
    this.begun = []
    this.length = 0
    this.isPassing = false
    return begun.length < 2 ? begun[0] : Buffer.concat(begun)
  }

  private extend(bytes: Buffer): void {
    if (this.isPassing) return
    this.length += bytes.length
    if (this.length <= MAX_LINE) {
      this.begun.push(bytes)
      return
    }
    this.isPassing = true
    this.begun = []
    this.onTooLong()
  }
}

/** The lines of a part, without their line feeds. */
export function* linesIn(part: Buffer): Generator<Buffer> {
  for (let from = 0; from < part.length; ) {
    const newline = part.indexOf(NEWLINE, from)
    const end = newline === -1 ? part.length : newline
    yield part.subarray(from, end)
    from = end + 1
  }
}

/** Whether a part ends within a line. */
export function isTorn(part: Buffer): boolean {
  return part.at(-1) !== NEWLINE
}

async function* bytesOf(handle: FileHandle, size: number, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    onBytes(bytesRead)
    yield chunk.subarray(0, bytesRead)
  }
}

/** By its first bytes and not by its name: no line begins so. */
async function isGzip(handle: FileHandle): Promise<boolean> {
  const start = Buffer.alloc(GZIP_MAGIC.length)
  await handle.read(start, 0, start.length, 0)
  return GZIP_MAGIC.every((byte, index) => start[index] === byte)
}
