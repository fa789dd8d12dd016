import { constants } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AuditFileUnreadable } from '../errors.js'
import { decompressed } from '../sinks/file/compression.js'
import { unless } from '../sinks/file/fs.js'
import type { TrailFile } from './trail-file.js'

const CHUNK = 256 * 1024
const { O_NONBLOCK, O_RDONLY } = constants

/**
 * Opens a regular file, also through symbolic links.
 *
 * @throws `FST_AUDIT_FILE_UNREADABLE` for anything else, without opening it: opening a pipe waits for its other end,
 * and opening a device may change it. The system's error if it cannot be opened.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  expectRegular((await stat(path)).isFile())
  // Check again: the path may lead to another file by now.
  const handle = await open(path, O_RDONLY | O_NONBLOCK)
  try {
    expectRegular((await handle.stat()).isFile())
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Opens a file that was examined before, also if it was renamed since. */
async function openAgain({ path, id }: TrailFile): Promise<FileHandle> {
  const directory = dirname(path)
  const others = (await readdir(directory)).map((name) => join(directory, name))
  for (const candidate of [path, ...others]) {
    const status = await unless(['ENOENT', 'ELOOP'], stat(candidate))
    if (status === undefined || idOf(status) !== id) continue
    const handle = await unless(['ENOENT'], openRegular(candidate))
    if (handle === undefined) continue
    if (idOf(await handle.stat()) === id) return handle
    await handle.close()
  }
  throw new FileGone(path)
}

/** A file was deleted, or replaced by another, after it was found. */
export class FileGone extends Error {
  override readonly name = 'FileGone'
}

/** Device and inode: a file keeps them when it is renamed. */
export function idOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`
}

/** Yields the content of a file, decompressed if need be. Calls `onBytes` with the bytes read of the file itself. */
export async function* contentOf(file: TrailFile, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  if (file.size === 0) return
  const handle = file.handle ?? (await openAgain(file))
  try {
    yield* decompressed(bytesOf(handle, file.size, onBytes))
  } finally {
    if (file.handle === undefined) await handle.close()
  }
}

/** Whether an error says that a file cannot be read or decompressed; others are mistakes in the program. */
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
