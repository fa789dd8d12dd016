import type { LifecycleDetails } from '../../event/event.js'
import { FailureLog } from '../../logger.js'
import type { SinkContext } from '../sink.js'
import { lastLineOfArchives } from './archive-tail.js'
import { CHECK_INTERVAL, CheckTimer } from './check-timer.js'
import { cleanUp } from './clean-up.js'
import { makeDirectory } from './directory.js'
import { DiskSpace } from './disk-space.js'
import { APPEND_OR_CREATE, type FileStatus, lookUp, openRegular, syncDirectory } from './fs.js'
import type { Lock, LockParts } from './lock.js'
import { LogFile } from './log-file.js'
import { ArchiveNames } from './names.js'
import { Retention, type RetentionOptions } from './retention.js'
import { interrupted, rotate } from './rotation.js'
import { SyncWrites } from './sync-writes.js'
import { setAsideTorn } from './torn-line.js'
import { expectTrusted } from './trusted-file.js'

/** The sink's options that concern the active file; milliseconds and bytes. */
export interface ActiveFileOptions extends RetentionOptions {
  readonly mode: number
  readonly dirMode: number
  readonly rotateBytes: number
  readonly rotateDuration: number
  readonly fsync: boolean
}

/** The file at a path whose lock we hold: kept open, whole, at its path, and rotated when it is due. */
export class ActiveFile {
  readonly names: ArchiveNames
  readonly retention: Retention
  private file: LogFile | undefined
  private readonly checks: CheckTimer
  /** Entries acknowledged since the path was last looked at. */
  private unchecked = 0
  /** Entries that are not the sink's own records. A file without any is not rotated, or rotation would feed itself. */
  private foreign = 0
  private hasLearnt = false
  private rotateAfter = Number.NEGATIVE_INFINITY
  /** The file's name may not survive a power loss yet. */
  private isNameNew = false
  readonly space: DiskSpace
  private readonly pace: SyncWrites
  private readonly rotating: FailureLog
  private readonly repairing: FailureLog

  constructor(
    readonly path: string,
    readonly lock: Lock,
    private readonly options: ActiveFileOptions,
    private readonly parts: LockParts,
    private readonly context: SinkContext,
  ) {
    this.names = new ArchiveNames(path)
    this.checks = new CheckTimer(parts.clock)
    this.rotating = new FailureLog(
      context.log,
      { path },
      'the audit file cannot be rotated; it is written to as before',
    )
    this.space = new DiskSpace(path, parts.fs, parts.clock, context.log)
    this.pace = new SyncWrites(parts.fs, parts.clock, this.space)
    this.retention = new Retention(options, {
      ...parts,
      lock,
      names: this.names,
      record: (details) => this.record('retention', details),
    })
    this.repairing = new FailureLog(
      context.log,
      { path },
      'the audit file cannot be cut back after a failed write; nothing is stored',
    )
  }

  /** Whether the path, or the lock, has not been looked at for a second. */
  get isCheckDue(): boolean {
    return this.checks.isDue
  }

  /** Whether the lock is ours, as the first part of a check. */
  isLockHeld(): Promise<boolean> {
    this.checks.begin()
    return this.lock.isHeld()
  }

  /** Rejects unless the file is open, whole, and to be found at its path. */
  async ready(): Promise<void> {
    if (this.file !== undefined && this.isCheckDue) await this.check(this.file)
    const file = this.file ?? (await this.open())
    if (file.isDirty) await this.settle(file)
    await this.rotateIfDue(file)
    if (this.isNameNew) await syncDirectory(this.parts.fs, this.names.directory)
    this.isNameNew = false
  }

  /** Whether `appendNow` may be used: `ready` would have nothing to do. */
  get isReadyNow(): boolean {
    const { file, options } = this
    if (file === undefined || options.fsync || file.isDirty || this.isCheckDue || !this.pace.isDirect) return false
    return options.rotateBytes === 0 || file.end < options.rotateBytes
  }

  /** Appends whole lines; when that fails, `undo` is due. */
  async append(data: Uint8Array, entries: number): Promise<void> {
    await this.opened.append(data, this.pace)
    this.count(entries)
  }

  /** Appends synchronously. */
  appendNow(data: Uint8Array, entries: number): void {
    this.opened.appendNow(data, this.pace)
    this.count(entries)
  }

  /** Undoes a failed append; true if certainly nothing of it is in the file. */
  async undo(): Promise<boolean> {
    let isUndone = false
    await this.repairing.guard(async () => {
      await this.lock.verify()
      isUndone = (await this.file?.repair(this.path)) ?? false
    })
    return isUndone
  }

  /** Puts an entry about the file's own life into its trail. */
  private record<Type extends 'rotation' | 'retention' | 'torn'>(type: Type, details: LifecycleDetails[Type]): void {
    this.foreign--
    this.context.record(type, details)
  }

  /** The last line that is whole, or the last that has a seal, in this file or in the newest archive that has one. */
  async lastLine(isSealed: boolean): Promise<string | undefined> {
    const { parts, names, context } = this
    return (await this.file?.lastLine(isSealed)) ?? lastLineOfArchives(parts.fs, names, isSealed, context.log)
  }

  /** Closes the file; the next use opens whatever is at the path then. */
  async leave(): Promise<void> {
    const { file } = this
    if (file === undefined) return
    await cleanUp(this.context.log, this.path, this.noticeDeletion(file))
    this.file = undefined
    this.checks.reset()
    this.unchecked = 0
    if (file.isDirty) {
      await this.repairing.guard(async () => {
        if (await this.lock.isHeld()) await file.repair(this.path)
      })
    }
    await cleanUp(this.context.log, this.path, this.retention.passOn(file))
    await cleanUp(this.context.log, this.path, file.close())
  }

  private get opened(): LogFile {
    if (this.file === undefined) throw new Error(`${this.path} is not open`)
    return this.file
  }

  private count(entries: number): void {
    this.unchecked += entries
    this.foreign += entries
  }

  private async open(): Promise<LogFile> {
    const { fs } = this.parts
    const { fsync, mode, dirMode } = this.options
    this.checks.begin()
    await makeDirectory(fs, this.path, dirMode, fsync)
    const { fd, status } = await openRegular(fs, this.path, APPEND_OR_CREATE, mode)
    try {
      await expectTrusted(fs, this.path, status, { own: this.lock.owner, mode, log: this.context.log })
      const file = new LogFile(fs, fd, status.id, status.size, fsync)
      await this.lock.verify()
      await this.learn(file, status)
      await this.makeWhole(file)
      this.foreign = file.end > 0 ? Number.POSITIVE_INFINITY : 0
      this.file = file
    } catch (error) {
      await fs.close(fd)
      throw error
    }
    this.isNameNew = fsync
    this.checks.end()
    this.repairing.works()
    await this.finishRotation(this.file)
    return this.file
  }

  /** Takes what the file says of the time before the start, once. */
  private async learn(file: LogFile, { modified }: FileStatus): Promise<void> {
    if (this.hasLearnt) return
    this.hasLearnt = true
    this.retention.learn([modified, (await file.firstEntryTime()) ?? modified])
  }

  /** Notices what others have done to the file. */
  private async check(file: LogFile): Promise<void> {
    const found = await lookUp(this.parts.fs, this.path)
    if (found?.id !== file.id) await this.lose(file, found)
    else if (!file.explains(found.size)) await this.follow(file, found.size)
    this.checks.end()
    this.unchecked = 0
  }

  private async lose(file: LogFile, found: FileStatus | undefined): Promise<void> {
    const { path, context } = this
    const { links } = await file.status()
    if (links === 0) this.reportDeletion()
    else {
      const message = found === undefined ? 'the audit file was moved away' : 'the audit file was replaced'
      context.log.warn({ path }, `${message} by somebody else; what is at its path is used from now on`)
    }
    await this.leave()
  }

  /** Reports a deleted file: entries stored since the last check are gone with it. */
  private async noticeDeletion(file: LogFile): Promise<void> {
    if (this.unchecked > 0 && (await file.status()).links === 0) this.reportDeletion()
  }

  private reportDeletion(): void {
    const message =
      'the audit file was deleted by somebody else; these entries, stored since it was last seen, went with it'
    this.context.log.error({ path: this.path, entries: this.unchecked }, message)
    this.doubtUnchecked()
  }

  private doubtUnchecked(): void {
    if (this.unchecked > 0) this.context.doubt(this.unchecked)
    this.unchecked = 0
  }

  private async follow(file: LogFile, size: number): Promise<void> {
    const message = 'the audit file was changed by somebody else; it is written to where it ends now'
    this.context.log.error({ path: this.path, expected: file.end, bytes: size, entries: this.unchecked }, message)
    if (size < file.end) this.doubtUnchecked()
    await this.lock.verify()
    await this.makeWhole(file)
  }

  private async settle(file: LogFile): Promise<void> {
    await this.lock.verify()
    if (!(await file.repair(this.path))) await this.follow(file, (await file.status()).size)
    this.repairing.works()
  }

  private makeWhole(file: LogFile): Promise<void> {
    return file.makeWhole(async (fd, from, to) => {
      const torn = { ...this.parts, ...this.options, path: this.path }
      this.record('torn', await setAsideTorn(torn, fd, from, to))
    })
  }

  private async rotateIfDue(file: LogFile): Promise<void> {
    const now = this.parts.clock.monotonic()
    if (now < this.rotateAfter) return
    const reason = await this.isDue(file)
    if (reason === undefined) return
    if (!(await this.rotating.guard(() => this.rotate(file, reason)))) this.rotateAfter = now + CHECK_INTERVAL
  }

  private async isDue(file: LogFile): Promise<'size' | 'age' | undefined> {
    const { rotateBytes, rotateDuration } = this.options
    if (file.end === 0 || this.foreign <= 0) return undefined
    if (rotateBytes > 0 && file.end >= rotateBytes) return 'size'
    if (rotateDuration === 0) return undefined
    const now = this.parts.clock.now()
    return now - (await file.begunAt(now)) >= rotateDuration ? 'age' : undefined
  }

  /** A crash can leave the file with an archive's name as well: without this its lines would stand in two archives. */
  private async finishRotation(file: LogFile): Promise<void> {
    await this.rotating.guard(async () => {
      if ((await interrupted(this.parts.fs, this.names, file)) === undefined) return
      await this.rotate(file, (await this.isDue(file)) ?? 'age')
    })
  }

  private async rotate(file: LogFile, reason: 'size' | 'age'): Promise<void> {
    const { fs, clock } = this.parts
    await this.lock.verify()
    if ((await lookUp(fs, this.path))?.id !== file.id) {
      this.checks.reset()
      throw new Error(`${this.path} was moved or replaced by somebody else`)
    }
    const { archive, successor } = await rotate(fs, this.names, file, { now: clock.now(), ...this.options })
    this.file = successor
    this.isNameNew = this.options.fsync
    this.foreign = 0
    // The entries are in the archive, whatever happens to the new file.
    this.unchecked = 0
    this.record('rotation', { archive, bytes: file.end, reason })
    await this.retention.noteRotation(archive)
    await cleanUp(this.context.log, this.path, file.close())
  }
}
