import { isUtf8 } from 'node:buffer'
import type { Stats } from 'node:fs'
import { type FileHandle, lstat, stat } from 'node:fs/promises'
import { unless } from '../sinks/file/fs.js'
import { contentOf, idOf, isUnreadable, openRegular } from './contents.js'
import { MAX_LINE, wholeLines } from './lines.js'
import { firstMarkIn, lastMarkIn, type Mark } from './mark.js'
import type { TrailFile } from './trail-file.js'

/** A path whose content cannot be read, and why. */
export interface UnreadableFile {
  readonly path: string
  readonly reason: string
  /**
   * Not a regular file; neither text nor of a known format; or of a known one that cannot be read, or no permission.
   */
  readonly kind: 'special' | 'unknown' | 'closed'
}

/** What is at a path, by the beginning of its content. */
export type Examined =
  | { readonly kind: 'file'; readonly file: TrailFile }
  | { readonly kind: 'unreadable'; readonly unreadable: UnreadableFile }
  | { readonly kind: 'directory' | 'nothing' }

/** The bytes that are searched for a first record; one line may be longer. */
const START = 1024 * 1024
/** The bytes that tell whether a file is text. */
const SAMPLE = 4096
/** The bytes that are searched for a last record. */
const END = 256 * 1024
/** Tab, line feed, form feed, carriage return and escape: of the control characters, those that texts have. */
const CONTROLS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b])
const FIRST_CHARACTER = 0x20

/** Examines what is at a path, without waiting for it; with `hold`, the file stays open. */
export async function examine(path: string, hold: boolean): Promise<Examined> {
  let status: Stats | undefined
  let handle: FileHandle | undefined
  let isHeld = false
  try {
    status = await unless(['ENOENT', 'ELOOP'], stat(path))
    if (status === undefined) return await examineLink(path)
    if (status.isDirectory()) return { kind: 'directory' }
    handle = await openRegular(path)
    const examined = await look(path, handle, hold)
    isHeld = hold && examined.kind === 'file'
    return examined
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return unreadable(path, error.message, status?.isFile() === false ? 'special' : 'closed')
  } finally {
    if (!isHeld) await handle?.close()
  }
}

/** The mark of the last record of a file; `undefined` of a compressed one, which would have to be read to its end. */
export async function endOf(file: TrailFile): Promise<Mark | undefined> {
  const handle = file.handle ?? (await openRegular(file.path))
  try {
    const part = Buffer.alloc(Math.min(file.size, END))
    const { bytesRead } = await handle.read(part, 0, part.length, file.size - part.length)
    return lastMarkIn(part.subarray(0, bytesRead))
  } finally {
    if (file.handle === undefined) await handle.close()
  }
}

async function look(path: string, handle: FileHandle, hold: boolean): Promise<Examined> {
  const status = await handle.stat()
  const file = { path, id: idOf(status), size: status.size, handle }
  const { first, isText } = await startOf({ ...file, first: undefined })
  if (first === undefined && !isText) {
    return unreadable(path, 'it holds neither text nor what is known to be compressed', 'unknown')
  }
  return { kind: 'file', file: { ...file, handle: hold ? handle : undefined, first } }
}

/**
 * Finds the first record of a file, and whether it is text. Damage after that record is noticed when the file is read.
 */
async function startOf(file: TrailFile): Promise<{ first: Mark | undefined; isText: boolean }> {
  let seen = 0
  let isText = true
  async function* beginning(): AsyncGenerator<Buffer> {
    for await (const chunk of contentOf(file, () => undefined)) {
      if (seen === 0) isText = isTextual(chunk.subarray(0, SAMPLE))
      seen += chunk.length
      yield chunk
      if (seen > MAX_LINE + START) return
    }
  }
  for await (const part of wholeLines(beginning(), () => undefined)) {
    const first = firstMarkIn(part)
    if (first !== undefined) return { first, isText }
    if (seen >= START || !isText) break
  }
  return { first: undefined, isText }
}

/** Whether bytes are UTF-8 without control characters; the last character may be cut. */
function isTextual(bytes: Buffer): boolean {
  if (bytes.some((byte) => byte < FIRST_CHARACTER && !CONTROLS.has(byte))) return false
  const last = bytes.length === SAMPLE ? bytes.findLastIndex((byte) => (byte & 0xc0) !== 0x80) : bytes.length
  return isUtf8(bytes.subarray(0, last))
}

/** Tells a link to nothing from nothing. */
async function examineLink(path: string): Promise<Examined> {
  if ((await unless(['ENOENT'], lstat(path))) === undefined) return { kind: 'nothing' }
  return unreadable(path, 'it is a link to what is not there', 'special')
}

export function unreadable(path: string, reason: string, kind: UnreadableFile['kind']): Examined {
  return { kind: 'unreadable', unreadable: { path, reason, kind } }
}
