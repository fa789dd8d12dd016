import { ENDING_BYTES, isSealedLine } from '../../event/seal-line.js'
import { lastCompressedLine, MAX_LINE } from './compressed-tail.js'
import { compressionOf, MAGIC_BYTES } from './compression.js'
import { CREATE, type FileSystem, openRegular, READ, SHORT_WRITE, unless, writeWhole } from './fs.js'
import { stamp } from './names.js'

const CHUNK = 64 * 1024
const NEWLINE = 0x0a
/** More than any one write adds. */
const ONE_WRITE = 4 * 1024 * 1024
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG', SHORT_WRITE]
const MAX_NAMES = 1000

/** Finds where the last whole line of an open file ends: at `size` if nothing is torn. Reads backwards in chunks. */
export async function endOfLines(fs: FileSystem, fd: number, size: number): Promise<number> {
  const chunk = new Uint8Array(CHUNK)
  // Mostly the last byte is a newline, and nothing more has to be read.
  for (let to = size, length = 1; to > 0; length = CHUNK) {
    const from = Math.max(0, to - length)
    const part = chunk.subarray(0, to - from)
    await readExactly(fs, fd, part, from)
    const newline = part.lastIndexOf(NEWLINE)
    if (newline !== -1) return from + newline + 1
    to = from
  }
  return 0
}

/**
 * Finds the hole that a power loss left in the last write: the first NUL, which no line holds. A disk writes pages in
 * any order, so whole lines can follow a missing one.
 */
export async function holeIn(fs: FileSystem, fd: number, size: number): Promise<number | undefined> {
  const chunk = new Uint8Array(CHUNK)
  for (let from = Math.max(0, size - ONE_WRITE); from < size; from += CHUNK) {
    const part = chunk.subarray(0, Math.min(CHUNK, size - from))
    await readExactly(fs, fd, part, from)
    const at = part.indexOf(0)
    if (at !== -1) return from + at
  }
  return undefined
}

/**
 * The last line before `end` of an open file, or the last that has a seal, without its ending. Of a line that is too long
 * to be from the plugin, only the end.
 */
export async function lastLine(
  fs: FileSystem,
  fd: number,
  end: number,
  isSealed: boolean,
): Promise<string | undefined> {
  const to = isSealed ? await endOfSealed(fs, fd, end) : end
  if (to === 0) return undefined
  const from = Math.max(await endOfLines(fs, fd, to - 1), to - 1 - MAX_LINE)
  const line = new Uint8Array(to - 1 - from)
  await readExactly(fs, fd, line, from)
  return new TextDecoder().decode(line)
}

/** The last whole line of the file at `path`, compressed or not, or the last that has a seal, if there is one. */
export async function lastLineOf(fs: FileSystem, path: string, isSealed: boolean): Promise<string | undefined> {
  const {
    fd,
    status: { size },
  } = await openRegular(fs, path, READ, 0)
  try {
    const start = new Uint8Array(MAGIC_BYTES)
    if (compressionOf(start.subarray(0, await fs.read(fd, start, 0))) !== undefined) {
      return await lastCompressedLine(fs, fd, size, isSealed)
    }
    return await lastLine(fs, fd, await endOfLines(fs, fd, size), isSealed)
  } finally {
    await fs.close(fd)
  }
}

/**
 * Finds where the last sealed line before `end` of an open file ends; 0 if there is none. Reads backwards in chunks.
 */
async function endOfSealed(fs: FileSystem, fd: number, end: number): Promise<number> {
  const chunk = Buffer.alloc(CHUNK + ENDING_BYTES)
  for (let to = end; to > 0; to -= CHUNK) {
    // A line that ends in the chunk may have its seal in the bytes before it.
    const from = Math.max(0, to - CHUNK - ENDING_BYTES)
    const part = chunk.subarray(0, to - from)
    await readExactly(fs, fd, part, from)
    for (let at = part.lastIndexOf(NEWLINE); at > 0; at = part.lastIndexOf(NEWLINE, at - 1)) {
      if (isSealedLine(part.toString('latin1', Math.max(0, at - ENDING_BYTES), at))) return from + at + 1
    }
  }
  return 0
}

/** How the copy of a torn line is made. */
export interface Aside {
  /** The audit file's. */
  readonly path: string
  readonly now: number
  readonly mode: number
  readonly fsync: boolean
}

/**
 * Copies what an open file holds from `from` to `to` into a new file beside it, and resolves with its path; with
 * `undefined` when there is no room, because a full disk must not keep the log from being made whole.
 */
export async function setAside(
  fs: FileSystem,
  fd: number,
  from: number,
  to: number,
  aside: Aside,
): Promise<string | undefined> {
  const copy = await unless(NO_ROOM, createFree(fs, `${aside.path}.torn-${stamp(aside.now)}`, aside.mode))
  if (copy === undefined) return undefined
  let isWhole = false
  try {
    isWhole = (await unless(NO_ROOM, copyRange(fs, fd, from, to, copy.fd, aside.fsync))) ?? false
  } finally {
    await fs.close(copy.fd)
    // An incomplete copy is useless and takes room.
    if (!isWhole) await fs.unlink(copy.path)
  }
  return isWhole ? copy.path : undefined
}

async function createFree(fs: FileSystem, path: string, mode: number): Promise<{ path: string; fd: number }> {
  for (let number = 0; ; number++) {
    const name = number === 0 ? path : `${path}-${number}`
    const fd = await unless(number < MAX_NAMES ? ['EEXIST'] : [], fs.open(name, CREATE, mode))
    if (fd !== undefined) return { path: name, fd }
  }
}

async function copyRange(
  fs: FileSystem,
  fd: number,
  from: number,
  to: number,
  target: number,
  fsync: boolean,
): Promise<true> {
  const chunk = new Uint8Array(CHUNK)
  for (let at = from; at < to; at += CHUNK) {
    const part = chunk.subarray(0, Math.min(CHUNK, to - at))
    await readExactly(fs, fd, part, at)
    await writeWhole(fs, target, part)
  }
  if (fsync) await fs.datasync(target)
  return true
}

async function readExactly(fs: FileSystem, fd: number, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.byteLength; ) {
    const count = await fs.read(fd, into.subarray(done), position + done)
    if (count === 0) throw new Error(`the file ended at byte ${position + done} while it was read`)
    done += count
  }
}
