import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { AuditFileUnreadable } from '../errors.js'
import { decompressed } from '../sinks/file/compression.js'
import type { TrailFile } from './files.js'

const CHUNK = 256 * 1024
const { O_NONBLOCK, O_RDONLY } = constants

/**
 * Opens a regular file, through symbolic links as well.
 *
 * @throws `FST_AUDIT_FILE_UNREADABLE` for anything else, and does not open it: to open a pipe waits for its other end, and
 * to open a device may change it. The system's error when it cannot be opened.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  expectRegular((await stat(path)).isFile())
  // What is at the path may have been replaced since.
  const handle = await open(path, O_RDONLY | O_NONBLOCK)
  try {
    expectRegular((await handle.stat()).isFile())
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The content of a file, decompressed if need be; `onBytes` is told how much is read of the file itself. */
export async function* contentOf(file: TrailFile, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  if (file.size === 0) return
  const handle = file.handle ?? (await openRegular(file.path))
  try {
    yield* decompressed(bytesOf(handle, file.size, onBytes))
  } finally {
    if (file.handle === undefined) await handle.close()
  }
}

/** Whether an error says that a file, or what was compressed in it, cannot be read; others are mistakes in the program. */
export function isUnreadable(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false
  return error.code === 'FST_AUDIT_FILE_UNREADABLE' || /^(?:Z_|ZSTD_)/.test(error.code) || 'syscall' in error
}

async function* bytesOf(handle: FileHandle, size: number, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) throw new AuditFileUnreadable('it became shorter while it was read')
    at += bytesRead
    onBytes(bytesRead)
    yield chunk.subarray(0, bytesRead)
  }
}

function expectRegular(isFile: boolean): void {
  if (!isFile) throw new AuditFileUnreadable('it is not a regular file; write what it gives into one')
}
