import { ENDING_BYTES, sealOf } from '../../event/seal-line.js'
import { compressionOf } from '../../sinks/file/compression.js'
import { contentOf, isUnreadable, openRegular } from '../contents.js'
import { isTorn, wholeLines } from '../lines.js'
import type { TrailFile } from '../trail-file.js'

/** The hashes that join a file to others, as far as its first and its last line have any. */
export interface FileEnds {
  /** The `prev` of its first line. */
  readonly first: string | undefined
  /** The `hash` of its last line. */
  readonly last: string | undefined
}

/** Bytes that are enough to tell what a file is compressed by, and to read the seal of a line. */
const END_BYTES = ENDING_BYTES + 1

/** Reads how a file begins and ends, a compressed one to its end. What cannot be read is reported when it is verified. */
export async function endsOf(file: TrailFile): Promise<FileEnds> {
  let first: string | undefined
  try {
    const ending = await plainEnding(file)
    let last = ending
    let isFirst = true
    for await (const part of wholeLines(
      contentOf(file, () => undefined),
      () => undefined,
    )) {
      if (isFirst) first = sealBefore(part, part.indexOf('\n'))?.prev
      isFirst = false
      if (ending !== undefined) break
      last = part
    }
    return { first, last: last === undefined || isTorn(last) ? undefined : sealBefore(last, last.length - 1)?.hash }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return { first, last: undefined }
  }
}

/** The last bytes of a file that is not compressed. */
async function plainEnding(file: TrailFile): Promise<Buffer | undefined> {
  const handle = file.handle ?? (await openRegular(file.path))
  try {
    const part = Buffer.alloc(Math.min(file.size, END_BYTES))
    await handle.read(part, 0, part.length, 0)
    if (compressionOf(part) !== undefined) return undefined
    await handle.read(part, 0, part.length, file.size - part.length)
    return part
  } finally {
    if (file.handle === undefined) await handle.close()
  }
}

/** The seal of the line that ends at `end` of a part. */
function sealBefore(part: Buffer, end: number): ReturnType<typeof sealOf> {
  return sealOf(part.toString('latin1', Math.max(0, end - ENDING_BYTES), Math.max(0, end)))
}
