import { type FileHandle, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AuditNoTrail } from '../errors.js'
import { unless } from '../sinks/file/fs.js'
import { idOf, openRegular } from './contents.js'
import { LineCutter } from './lines.js'
import { activeNameOf, compareNames, exactActiveNameOf, uncompressedName } from './trail-names.js'

const CHUNK = 256 * 1024
/** A file that was moved by another program is written to until the sink notices, a second later. */
const GRACE = 2000
/** Errors that mean that there is no file at a path. */
const NOTHING = ['ENOENT', 'ELOOP']

/** A file beside the one that is followed, of the same trail by its name. */
interface Sibling {
  readonly path: string
  readonly id: string
  /** The id and the time of birth: the inode of a deleted file is used again. */
  readonly key: string
}

/** Follows a trail's active file as it grows and is rotated. */
export class Follower {
  private position = 0
  private cutter = newCutter()
  private lastRead = Number.NEGATIVE_INFINITY
  /** The files that were rotated before the current one. Names do not tell: the clock may have been set back. */
  private older = new Set<string>()

  private constructor(
    private readonly path: string,
    private handle: FileHandle,
    private id: string,
    private readonly now: () => number,
  ) {}

  /**
   * `now` is a clock that is never set back.
   *
   * @throws `FST_AUDIT_NO_TRAIL` if it is not a regular file; the system's error if there is nothing.
   */
  static async open(path: string, now: () => number): Promise<Follower> {
    if (!(await stat(path)).isFile())
      throw new AuditNoTrail(path, 'only a file can be followed; name the active one, such as audit.log')
    const handle = await openRegular(path)
    const follower = new Follower(path, handle, idOf(await handle.stat()), now)
    // Listed after the file was opened: files rotated from now on are newer.
    follower.older = keysOf(await follower.siblings())
    return follower
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  async size(): Promise<number> {
    return (await this.handle.stat()).size
  }

  /** Goes to the first line that begins at a position or after it. */
  async seek(position: number): Promise<void> {
    this.cutter = newCutter()
    // Begin one byte earlier, so that a line that begins at the position is not skipped.
    this.position = Math.max(0, position - 1)
    if (position === 0) return
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) {
      const newline = chunk.indexOf('\n')
      if (newline === -1) continue
      this.position -= chunk.length - newline - 1
      return
    }
  }

  /** Yields the lines written since the last poll, in order, through any number of rotations. */
  async *poll(): AsyncGenerator<Buffer> {
    // Look up the path before reading: then all that was written before a replacement is read.
    const status = await unless(NOTHING, stat(this.path))
    const found = status?.isFile() === true ? status : undefined
    const isSame = found === undefined || idOf(found) === this.id
    if (isSame && found !== undefined && found.size < this.position) await this.seek(0)
    yield* this.drain()
    if (isSame) return
    const siblings = await this.siblings()
    const own = siblings.find(({ id }) => id === this.id)
    const isArchive = own !== undefined && exactActiveNameOf(basename(own.path)) !== undefined
    if (!isArchive && this.now() - this.lastRead < GRACE) return
    const newer = siblings.filter(({ id, key }) => id !== this.id && id !== idOf(found) && !this.older.has(key))
    this.older = keysOf(siblings)
    for (const { path, id } of newer) if (await this.switchTo(path, id)) yield* this.drain()
    // Switch only to the file found above: a later one may have others before it.
    if (await this.switchTo(this.path, idOf(found))) yield* this.drain()
  }

  private async *drain(): AsyncGenerator<Buffer> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield* this.cutter.push(chunk)
  }

  private async read(): Promise<Buffer | undefined> {
    const chunk = Buffer.allocUnsafe(CHUNK)
    const { bytesRead } = await this.handle.read(chunk, 0, CHUNK, this.position)
    if (bytesRead === 0) return undefined
    this.position += bytesRead
    this.lastRead = this.now()
    return chunk.subarray(0, bytesRead)
  }

  /** The uncompressed files that were rotated from this path, in the order of their names. */
  private async siblings(): Promise<Sibling[]> {
    const active = basename(this.path)
    const names = (await readdir(dirname(this.path))).filter(
      (name) => activeNameOf(name) === active && uncompressedName(name) === name,
    )
    const siblings: Sibling[] = []
    for (const name of names.sort(compareNames)) {
      const path = join(dirname(this.path), name)
      const status = await unless(NOTHING, stat(path))
      if (status?.isFile() !== true) continue
      siblings.push({ path, id: idOf(status), key: `${idOf(status)}:${status.birthtimeMs}` })
    }
    return siblings
  }

  /** Returns false if the file is gone or has another id than `wanted`; the next poll tries again. */
  private async switchTo(path: string, wanted: string): Promise<boolean> {
    const handle = await unless(NOTHING, openRegular(path))
    if (handle === undefined) return false
    const id = idOf(await handle.stat())
    if (id !== wanted) {
      await handle.close()
      return false
    }
    await this.handle.close()
    this.handle = handle
    this.id = id
    await this.seek(0)
    return true
  }
}

function keysOf(siblings: readonly Sibling[]): Set<string> {
  return new Set(siblings.map(({ key }) => key))
}

function newCutter(): LineCutter {
  return new LineCutter(() => undefined)
}
