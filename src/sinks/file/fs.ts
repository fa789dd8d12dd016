import * as fs from 'node:fs'
import { promisify } from 'node:util'

/** Kind of file at a path; the sink uses regular files only. */
export type FileKind = 'file' | 'directory' | 'symbolic link' | 'pipe' | 'socket' | 'device'

/** Status of a file, as far as the file sink needs it. */
export interface FileStatus {
  /** Device and inode: tells whether two names, or a name and a descriptor, are the same file. */
  readonly id: string
  readonly size: number
  /** Number of names (hard links). */
  readonly links: number
  readonly kind: FileKind
  /** The user id that the file belongs to, as this file system has it. */
  readonly owner: number
  /** The nine bits of `chmod`, and the sticky one. */
  readonly permissions: number
  /** Milliseconds since the epoch. */
  readonly modified: number
  /** Milliseconds since the epoch; 0 where the file system does not know. */
  readonly born: number
}

/**
 * Every call that the file sink makes to the system, so that tests can make any of them fail, fall short or hang.
 * A rejection carries Node's `code`. Paths are absolute; descriptors are numbers.
 */
export interface FileSystem {
  open(path: string, flags: number, mode: number): Promise<number>
  close(fd: number): Promise<void>
  /** Appends; resolves with the count of bytes written, which may be less than asked. */
  write(fd: number, data: Uint8Array): Promise<number>
  /** The same on the calling thread, which waits for it; throws what `write` rejects with. */
  writeNow(fd: number, data: Uint8Array): number
  /** Resolves with the count of bytes read; 0 at the end. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>
  truncate(fd: number, length: number): Promise<void>
  datasync(fd: number): Promise<void>
  /** Makes a directory's names durable. */
  sync(fd: number): Promise<void>
  stat(fd: number): Promise<FileStatus>
  /** Does not follow a symbolic link. */
  lstat(path: string): Promise<FileStatus>
  /** Sets the time of modification, in milliseconds since the epoch. */
  touch(fd: number, time: number): Promise<void>
  /** Makes a directory, whose parent must be there. */
  mkdir(path: string, mode: number): Promise<void>
  readdir(path: string): Promise<string[]>
  /** Fails with EEXIST rather than replace what is at `to`. */
  link(from: string, to: string): Promise<void>
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /**
   * How much of the file system that holds `path` is free to be written by this process, and of how much, in bytes; and
   * whether it is known to lie on this machine.
   */
  space(path: string): Promise<{ readonly free: number; readonly total: number; readonly isLocal?: boolean }>
}

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants

/** Does not follow a symbolic link, and does not wait for the other end of a pipe that someone put there. */
export const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
/** Follows a symbolic link. */
export const READ_THROUGH = O_RDONLY
export const READ_DIRECTORY = O_RDONLY | O_DIRECTORY
/** The kernel appends each write whole, wherever the end has moved to. */
export const APPEND = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK
export const APPEND_OR_CREATE = APPEND | O_CREAT
export const CREATE = APPEND | O_CREAT | O_EXCL

const open = promisify(fs.open)
const close = promisify(fs.close)
const write = promisify(fs.write)
const read = promisify(fs.read)
const truncate = promisify(fs.ftruncate)
const datasync = promisify(fs.fdatasync)
const sync = promisify(fs.fsync)
const futimes = promisify(fs.futimes)

function kindOf(stats: fs.BigIntStats): FileKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symbolic link'
  if (stats.isFIFO()) return 'pipe'
  return stats.isSocket() ? 'socket' : 'device'
}

function status(stats: fs.BigIntStats): FileStatus {
  return {
    id: `${stats.dev}:${stats.ino}`,
    size: Number(stats.size),
    links: Number(stats.nlink),
    kind: kindOf(stats),
    owner: Number(stats.uid),
    permissions: Number(stats.mode) & 0o1777,
    modified: Number(stats.mtimeMs),
    born: Number(stats.birthtimeMs),
  }
}

/** Linux's numbers (statfs(2)) of ext2 to 4, XFS, Btrfs, F2FS, ZFS, bcachefs, tmpfs and overlayfs. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x01021994, 0x794c7630])

/** The real one. */
export const nodeFileSystem: FileSystem = {
  open,
  close,
  async write(fd, data) {
    return (await write(fd, data)).bytesWritten
  },
  writeNow: (fd, data) => fs.writeSync(fd, data),
  async read(fd, into, position) {
    return (await read(fd, into, 0, into.byteLength, position)).bytesRead
  },
  truncate,
  datasync,
  sync,
  stat(fd) {
    return new Promise((resolve, reject) => {
      fs.fstat(fd, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(status(stats))))
    })
  },
  async lstat(path) {
    return status(await fs.promises.lstat(path, { bigint: true }))
  },
  touch: (fd, time) => futimes(fd, time / 1000, time / 1000),
  mkdir: (path, mode) => fs.promises.mkdir(path, { mode }),
  readdir: (path) => fs.promises.readdir(path),
  link: (from, to) => fs.promises.link(from, to),
  rename: (from, to) => fs.promises.rename(from, to),
  unlink: (path) => fs.promises.unlink(path),
  async space(path) {
    const { bavail, blocks, bsize, type } = await fs.promises.statfs(path)
    return { free: bavail * bsize, total: blocks * bsize, isLocal: LOCAL.has(type) }
  },
}

/** The errno in Node's spelling, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Returns the result, or `undefined` if the system answers with one of `codes`. */
export async function unless<T>(codes: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

/** Returns the status of `path`, or `undefined` if nothing is there or a file stands in its directory's place. */
export function lookUp(fs: FileSystem, path: string): Promise<FileStatus | undefined> {
  return unless(['ENOENT', 'ENOTDIR'], fs.lstat(path))
}

/** Makes `path` a second name of `from`; false if it is taken. */
export async function linkFree(fs: FileSystem, from: string, path: string): Promise<boolean> {
  return (
    (await unless(
      ['EEXIST'],
      fs.link(from, path).then(() => true),
    )) ?? false
  )
}

/** Removes a name; it may be gone already. */
export async function remove(fs: FileSystem, path: string): Promise<void> {
  await unless(['ENOENT'], fs.unlink(path))
}

/** Codes of `NotRegular`. */
export const NOT_REGULAR = ['EISDIR', 'ELOOP', 'ENOTREG'] as const

/** Something other than a regular file is in the place of a file of this sink. */
export class NotRegular extends Error {
  readonly code: (typeof NOT_REGULAR)[number]

  constructor(
    readonly path: string,
    readonly kind: FileKind,
  ) {
    super(`${path} is a ${kind}`)
    this.code = kind === 'directory' ? 'EISDIR' : kind === 'symbolic link' ? 'ELOOP' : 'ENOTREG'
  }
}

/**
 * Opens the regular file at `path`, or makes it if `flags` say so. Anything else is refused before it is opened,
 * because opening can affect a device, and once more after, because it may have been replaced in between.
 */
export async function openRegular(
  fs: FileSystem,
  path: string,
  flags: number,
  mode: number,
): Promise<{ fd: number; status: FileStatus }> {
  const found = await lookUp(fs, path)
  if (found !== undefined) expectRegular(path, found)
  const fd = await fs.open(path, flags, mode)
  try {
    const status = await fs.stat(fd)
    expectRegular(path, status)
    return { fd, status }
  } catch (error) {
    await fs.close(fd)
    throw error
  }
}

function expectRegular(path: string, { kind }: FileStatus): void {
  if (kind !== 'file') throw new NotRegular(path, kind)
}

/** The first `limit` bytes of a small file, with its status. */
export async function readSmall(
  fs: FileSystem,
  path: string,
  limit = 4096,
): Promise<{ text: string; status: FileStatus }> {
  const { fd, status } = await openRegular(fs, path, READ, 0)
  try {
    const into = new Uint8Array(limit)
    const count = await fs.read(fd, into, 0)
    return { text: new TextDecoder().decode(into.subarray(0, count)), status }
  } finally {
    await fs.close(fd)
  }
}

/** Writes all of `data`. After a short write the rest is tried once, which mostly gives the reason as an error. */
export async function writeWhole(fs: FileSystem, fd: number, data: Uint8Array): Promise<void> {
  const first = await fs.write(fd, data)
  if (first < data.byteLength) expectWhole(data, first + (await fs.write(fd, data.subarray(first))))
}

/** The same on the calling thread. */
export function writeWholeNow(fs: FileSystem, fd: number, data: Uint8Array): void {
  const first = fs.writeNow(fd, data)
  if (first < data.byteLength) expectWhole(data, first + fs.writeNow(fd, data.subarray(first)))
}

function expectWhole({ byteLength }: Uint8Array, written: number): void {
  if (written < byteLength) throw new ShortWrite(`only ${written} of ${byteLength} bytes could be written`)
}

/** The system took a part of a write and did not say why it left the rest. */
class ShortWrite extends Error {
  readonly code = SHORT_WRITE
}

export const SHORT_WRITE = 'ESHORTWRITE'

/** The status of a directory, through a symbolic link as well. */
export async function statDirectory(fs: FileSystem, path: string): Promise<FileStatus> {
  const fd = await fs.open(path, READ_DIRECTORY, 0)
  try {
    return await fs.stat(fd)
  } finally {
    await fs.close(fd)
  }
}

/** Makes the names in a directory survive a power loss. */
export async function syncDirectory(fs: FileSystem, path: string): Promise<void> {
  const fd = await fs.open(path, READ_DIRECTORY, 0)
  try {
    // EINVAL: this file system has no such operation, so there is nothing to wait for.
    await unless(['EINVAL'], fs.sync(fd))
  } finally {
    await fs.close(fd)
  }
}
