import { firstEntryTime } from './first-entry.js'
import { APPEND, type FileStatus, type FileSystem, unless, writeWhole } from './fs.js'
import type { SyncWrites } from './sync-writes.js'
import { endOfLines, holeIn, lastLine } from './tail.js'

/** Copies the bytes of an open file from `from` to `to` elsewhere, before they are cut off. */
export type SetAside = (fd: number, from: number, to: number) => Promise<void>

/** The audit file, open for appending. It knows where its last acknowledged line ends, and can cut back to there. */
export class LogFile {
  /**
   * The file certainly has no archive's name, so a link made by somebody else does not cause a search of all archives.
   */
  isUnarchived = false
  /** How many bytes of a failed append may lie past `end`; nothing is appended until they are cut off. */
  private excess = 0
  private beginning: number | undefined

  constructor(
    private readonly fs: FileSystem,
    private fd: number,
    /** Which file it is: what the path must still lead to. */
    readonly id: string,
    /** Where the last whole line ends. */
    public end: number,
    /** Whether an append is answered for only after it has been made durable. */
    private readonly isDurable: boolean,
  ) {}

  /** A failed append may have left something behind. */
  get isDirty(): boolean {
    return this.excess > 0
  }

  /** Appends all of `data`; after a failure, `repair` removes the rest. */
  async append(data: Uint8Array, pace: SyncWrites): Promise<void> {
    this.excess = data.byteLength
    if (pace.isDirect) pace.writeNow(this.fd, data)
    else await writeWhole(this.fs, this.fd, data)
    if (this.isDurable) await this.fs.datasync(this.fd)
    this.end += data.byteLength
    this.excess = 0
  }

  /** Appends synchronously: for a file that need not be durable, while `pace` allows it. */
  appendNow(data: Uint8Array, pace: SyncWrites): void {
    this.excess = data.byteLength
    pace.writeNow(this.fd, data)
    this.end += data.byteLength
    this.excess = 0
  }

  /**
   * Cuts off the bytes of a failed append, and verifies it. False if that append does not explain the file's size: then
   * somebody else has changed it, and nothing was cut.
   */
  async repair(path: string): Promise<boolean> {
    const { size } = await this.fs.stat(this.fd)
    if (!this.explains(size)) return false
    await this.cut(size, this.end)
    if (this.isDurable) {
      // After a failed fdatasync the kernel may call the same pages clean: only another descriptor can be believed.
      await this.openAgain(path)
      await this.fs.datasync(this.fd)
    }
    this.excess = 0
    return true
  }

  /** Whether a file of this size is ours alone. */
  explains(size: number): boolean {
    return size >= this.end && size <= this.end + this.excess
  }

  /** Accepts the file as it is; sets its torn last line aside and cuts it off. */
  async makeWhole(setAside: SetAside): Promise<void> {
    const { size } = await this.fs.stat(this.fd)
    // Each write was synced before the next: from a hole on, nothing was acknowledged.
    const hole = this.isDurable ? await holeIn(this.fs, this.fd, size) : undefined
    const end = await endOfLines(this.fs, this.fd, hole ?? size)
    if (end < size) {
      await setAside(this.fd, end, size)
      await this.cut(size, end)
      if (this.isDurable) await this.fs.datasync(this.fd)
    }
    this.end = end
    this.excess = 0
    this.beginning = undefined
  }

  /**
   * Returns when the file was begun, from the disk: from its first entry in format `json`; in other formats from the
   * file's times, which copying changes.
   */
  async begunAt(now: number): Promise<number> {
    // A clock that was set back since would keep the file for as long as it was ahead.
    if (this.beginning === undefined || this.beginning > now) this.beginning = await this.readBeginning(now)
    return this.beginning
  }

  /** The last whole line, or the last that has a seal. */
  lastLine(isSealed: boolean): Promise<string | undefined> {
    return lastLine(this.fs, this.fd, this.end, isSealed)
  }

  /** When the first entry was made, if its format says so. */
  firstEntryTime(): Promise<number | undefined> {
    return firstEntryTime(this.fs, this.fd)
  }

  /** Sets the time of modification. */
  touch(time: number): Promise<void> {
    return this.fs.touch(this.fd, time)
  }

  status(): Promise<FileStatus> {
    return this.fs.stat(this.fd)
  }

  close(): Promise<void> {
    return this.fs.close(this.fd)
  }

  private async readBeginning(now: number): Promise<number> {
    const { born, modified } = await this.status()
    const candidates = [(await this.firstEntryTime()) ?? Number.NaN, born, modified]
    // A future time means that the clock was set back since: with it the file would never be rotated.
    return candidates.find((time) => time > 0 && time <= now) ?? now
  }

  private async cut(size: number, to: number): Promise<void> {
    if (to >= size) return
    await this.fs.truncate(this.fd, to)
    const { size: now } = await this.fs.stat(this.fd)
    if (now !== to) throw new Error(`the file is ${now} bytes long after it was cut to ${to}`)
  }

  private async openAgain(path: string): Promise<void> {
    const fd = await unless(['ENOENT'], this.fs.open(path, APPEND, 0))
    if (fd === undefined) return
    const { id } = await this.fs.stat(fd)
    const [kept, other] = id === this.id ? [fd, this.fd] : [this.fd, fd]
    this.fd = kept
    await this.fs.close(other)
  }
}
