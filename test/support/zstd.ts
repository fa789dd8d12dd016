import * as zlib from 'node:zlib'

/** This Node decompresses zstd. */
export const HAS_ZSTD = 'createZstdDecompress' in zlib

/** A frame of zstd that holds a text as it is, in blocks of at most `size` bytes: RFC 8878, section 3.1.1. */
export function zstdFrame(text: string, size = 1000): Buffer {
  const bytes = Buffer.from(text)
  const blocks: Buffer[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const block = bytes.subarray(at, at + size)
    const header = Buffer.alloc(3)
    header.writeUIntLE((block.length << 3) | Number(at + size >= bytes.length), 0, 3)
    blocks.push(header, block)
  }
  // A window of 1 KiB, no checksum, no dictionary.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00]), ...blocks])
}
