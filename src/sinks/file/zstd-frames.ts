import { AuditFileUnreadable } from '../../errors.js'
import type { ChunkSource } from './chunk-source.js'

// The layout of a frame: RFC 8878, section 3.1.
const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const SKIPPABLE_MASK = 0xfffffff0
const MAGIC_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_BYTES = [0, 1, 2, 4]
const SIZE_BYTES = [0, 2, 4, 8]
/** The type of a block that repeats one byte, and holds that byte alone. */
const RUN = 1

/**
 * Takes the bytes of one frame of zstd, and no more.
 *
 * @throws `FST_AUDIT_FILE_UNREADABLE` when the frame is cut, or what comes is not one.
 */
export async function* frameBytes(source: ChunkSource): AsyncGenerator<Buffer> {
  const magic = await takeWhole(source, MAGIC_BYTES)
  yield magic
  if ((magic.readUInt32LE() & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
    const size = await takeWhole(source, 4)
    yield size
    yield* exactly(source, size.readUInt32LE())
    return
  }
  if (magic.readUInt32LE() !== MAGIC) {
    throw new AuditFileUnreadable('after the end of what zstd compressed, something else follows')
  }
  const descriptor = await takeWhole(source, 1)
  yield descriptor
  const { header, checksum } = layoutOf(descriptor.readUInt8())
  yield* exactly(source, header)
  yield* blocks(source)
  yield* exactly(source, checksum)
}

/** The bytes of what follows the descriptor, and of the checksum at the end. */
function layoutOf(descriptor: number): { header: number; checksum: number } {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const size = SIZE_BYTES[descriptor >> 6] ?? 0
  const window = isSingleSegment ? 0 : 1
  const dictionary = DICTIONARY_BYTES[descriptor & 0b11] ?? 0
  return {
    header: window + dictionary + (size === 0 && isSingleSegment ? 1 : size),
    checksum: (descriptor & 0b100) === 0 ? 0 : CHECKSUM_BYTES,
  }
}

async function* blocks(source: ChunkSource): AsyncGenerator<Buffer> {
  for (let isLast = false; !isLast; ) {
    const bytes = await takeWhole(source, BLOCK_HEADER_BYTES)
    yield bytes
    const header = bytes.readUIntLE(0, BLOCK_HEADER_BYTES)
    isLast = (header & 1) === 1
    const isRun = ((header >> 1) & 0b11) === RUN
    yield* exactly(source, isRun ? 1 : header >> 3)
  }
}

async function* exactly(source: ChunkSource, count: number): AsyncGenerator<Buffer> {
  for (let left = count; left > 0; ) {
    const chunk = await source.take(left)
    if (chunk === undefined) throw cut()
    left -= chunk.length
    yield chunk
  }
}

async function takeWhole(source: ChunkSource, count: number): Promise<Buffer> {
  await source.peek(count)
  const bytes = await source.take(count)
  if (bytes === undefined || bytes.length < count) throw cut()
  return bytes
}

function cut(): Error {
  return new AuditFileUnreadable('it is cut: its end is missing')
}
