import { pipeline, Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { AuditFileUnreadable } from '../../errors.js'
import { ChunkSource } from './chunk-source.js'
import { frameBytes } from './zstd-frames.js'

const CHUNK = 256 * 1024
type Decoder = zlib.Gunzip

/** The formats that are told by their first bytes, here in hexadecimal. No line begins so. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  gzip: ['1f8b'],
  // The second is a frame that is skipped; its first byte is any from 50 to 5f.
  zstd: ['28b52ffd', ...Array.from({ length: 16 }, (_, digit) => `5${digit.toString(16)}2a4d18`)],
  xz: ['fd377a585a00'],
  bzip2: ['425a68'],
  lz4: ['04224d18', '02214c18'],
  lzip: ['4c5a4950'],
  lzop: ['894c5a4f'],
  compress: ['1f9d', '1fa0'],
  zip: ['504b0304', '504b0506', '504b0708'],
  '7-Zip': ['377abcaf271c'],
  snappy: ['ff060000734e61507059'],
  age: [hexOf('age-encryption.org'), hexOf('-----BEGIN AGE')],
  OpenPGP: [hexOf('-----BEGIN PGP')],
}
/** The length of the longest of them. */
export const MAGIC_BYTES = 18

/** The format of a file that is compressed or encrypted, by its first bytes and never by its name. Brotli has none. */
export function compressionOf(start: Uint8Array): string | undefined {
  const hex = Buffer.from(start.subarray(0, MAGIC_BYTES)).toString('hex')
  return Object.keys(FORMATS).find((name) => FORMATS[name]?.some((magic) => hex.startsWith(magic)))
}

/**
 * Decompresses the bytes of a file as they come, in memory that grows neither with the file nor with what is in it.
 * What is not compressed passes through. Both gzip and zstd may consist of several parts, one after the other.
 *
 * @throws `FST_AUDIT_FILE_UNREADABLE` for a format that this Node cannot decompress, and for a file that is cut or has
 * something else after its end; what zlib says for one that is damaged. All that can be read is given before.
 */
export async function* decompressed(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = new ChunkSource(raw)
  try {
    const format = compressionOf(await source.peek(MAGIC_BYTES))
    if (format === undefined) yield* source.rest()
    else if (format === 'gzip') yield* gunzipped(source)
    else yield* unframed(source, format)
  } finally {
    await source.close()
  }
}

async function* gunzipped(source: ChunkSource): AsyncGenerator<Buffer> {
  const gunzip = zlib.createGunzip({ chunkSize: CHUNK })
  yield* through(gunzip, source.rest())
  // Node ends without an error at a NUL after a part, although another part may follow.
  const isWhole = gunzip.bytesWritten === source.given && (await source.peek(1)).length === 0
  if (!isWhole) throw new AuditFileUnreadable('after the end of what gzip compressed, something else follows')
}

/** A decoder for each frame: Node 22 ignores all but the first, and does not notice that a frame is cut. */
async function* unframed(source: ChunkSource, format: string): AsyncGenerator<Buffer> {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  if (format !== 'zstd' || !isFactory(create)) throw new AuditFileUnreadable(remedyFor(format))
  while ((await source.peek(1)).length > 0) yield* through(create({ chunkSize: CHUNK }), frameBytes(source))
}

async function* through(decoder: Decoder, bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  // An error of either reaches the reader of the second.
  pipeline(Readable.from(bytes), decoder, () => undefined)
  yield* decoder
}

function isFactory(value: unknown): value is (options: zlib.ZlibOptions) => Decoder {
  return typeof value === 'function'
}

function remedyFor(format: string): string {
  if (format === 'zstd') return 'it is compressed by zstd, which needs Node 22.15 or later; or decompress it first'
  if (format === 'age' || format === 'OpenPGP') return `it is encrypted by ${format}; decrypt it first`
  return `it is compressed by ${format}, which is not read here; decompress it first`
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex')
}
