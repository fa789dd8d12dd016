import { type FileHandle, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AuditNoTrail } from '../errors.js'
import { unless } from '../sinks/file/fs.js'
import { idOf, openRegular } from './contents.js'
import { LineCutter } from './lines.js'
import { activeNameOf, compareNames, exactActiveNameOf, uncompressedName } from './trail-names.js'

const CHUNK = 256 * 1024
/** A file that was moved away by hand is written to until the sink notices, which takes it a second. */
const GRACE = 2000
/** What a path can lead to while it leads to no file. */
const NOTHING = ['ENOENT', 'ELOOP']

/** A file beside the one that is followed, of the same trail by its name. */
interface Sibling {
  readonly path: string
  readonly id: string
  /** Tells it from every other file there ever was: an inode is used again when a file is deleted. */
  readonly key: string
}

/** Follows a trail's active file as it grows and is rotated. */
export class Follower {
  private position = 0
  private cutter = newCutter()
  private lastRead = Number.NEGATIVE_INFINITY
  /** Files that were rotated before the one that is read. Their names do not tell: a clock may have been set back. */
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
   * @throws `FST_AUDIT_NO_TRAIL` when there is something else than a file, the system's error when there is nothing.
   */
  static async open(path: string, now: () => number): Promise<Follower> {
    if (!(await stat(path)).isFile()) throw new AuditNoTrail(path, 'only a file can be followed; name the active one')
    const handle = await openRegular(path)
    const follower = new Follower(path, handle, idOf(await handle.stat()), now)
    // After it was opened: what is rotated from now on is newer.
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
    // From the byte before, so that a line which begins exactly there is not passed over.
    this.position = Math.max(0, position - 1)
    if (position === 0) return
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) {
      const newline = chunk.indexOf('\n')
      if (newline === -1) continue
      this.position -= chunk.length - newline - 1
      return
    }
  }

  /** Parts of whole lines that have come since, in their order, through all rotations in between. */
  async *poll(): AsyncGenerator<Buffer> {
    // Looked up first: whatever was written before the file was replaced is read now.
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
    // Only what was there before its archives were looked for: between those and a later one there may be others.
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

  /** What was rotated from the file, by its name, in the order of the names; without what is compressed. */
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

  /** False when the file is gone again, or is not the one that is `wanted`; then the next poll looks anew. */
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
