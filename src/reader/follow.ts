import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AuditNoTrail } from '../errors.js'
import { ArchiveNames } from '../sinks/file/names.js'
import { LineCutter } from './lines.js'

const CHUNK = 256 * 1024
/** A file that was moved away by hand is written to until the sink notices, which takes it a second. */
const GRACE = 2000

/** Follows a trail's active file as it grows and is rotated. */
export class Follower {
  private position = 0
  private cutter = newCutter()
  private lastRead = Number.NEGATIVE_INFINITY

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
    // To open a pipe would wait for its other end.
    if (!(await stat(path)).isFile()) throw new AuditNoTrail(path, 'only a file can be followed; name the active one')
    const handle = await open(path, 'r')
    return new Follower(path, handle, idOf(await handle.stat()), now)
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
    const found = await unlessMissing(stat(this.path))
    const isSame = found === undefined || idOf(found) === this.id
    if (isSame && found !== undefined && found.size < this.position) await this.seek(0)
    yield* this.drain()
    if (isSame) return
    const archives = await this.archivesSince()
    if (archives === undefined && this.now() - this.lastRead < GRACE) return
    for (const path of archives ?? []) if (await this.switchTo(path)) yield* this.drain()
    // Only what was there before its archives were looked for: between those and a later one there may be others.
    if (this.id !== idOf(found) && (await this.switchTo(this.path, idOf(found)))) yield* this.drain()
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

  /** The archives that are newer than the file that is read; `undefined` when that is none. */
  private async archivesSince(): Promise<string[] | undefined> {
    const names = new ArchiveNames(this.path)
    const newer: string[] = []
    for (const { name } of names.among(await readdir(dirname(this.path))).reverse()) {
      const found = await unlessMissing(stat(names.path(name)))
      if (found !== undefined && idOf(found) === this.id) return newer
      newer.unshift(names.path(name))
    }
    return undefined
  }

  /** False when the file is gone again, or is not the one that is `wanted`; then the next poll looks anew. */
  private async switchTo(path: string, wanted?: string): Promise<boolean> {
    const handle = await unlessMissing(open(path, 'r'))
    if (handle === undefined) return false
    const id = idOf(await handle.stat())
    if (wanted !== undefined && id !== wanted) {
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

function newCutter(): LineCutter {
  return new LineCutter(() => undefined)
}

function idOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`
}

async function unlessMissing<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
