import type { Clock } from '../../clock.js'
import type { LifecycleDetails } from '../../event/event.js'
import { sealOf } from '../../event/seal-line.js'
import { FailureLog, type SinkLogger } from '../../logger.js'
import { type AgedArchive, ArchiveAges } from './archive-ages.js'
import { type FileSystem, lookUp, unless } from './fs.js'
import type { Lock } from './lock.js'
import type { LogFile } from './log-file.js'
import type { Archive, ArchiveNames } from './names.js'
import { lastLineOf } from './tail.js'

/** Which archives may go; 0 is no limit. Times are in milliseconds. */
export interface RetentionOptions {
  readonly rotateMaxFiles: number
  readonly rotateMaxAge: number
  readonly rotateMinAge: number
  /**
   * The lines are sealed: a deletion is recorded with the hash of the last line, which the first remaining line
   * follows.
   */
  readonly sealed?: boolean
}

/** An archive that is to be deleted, and why. */
export interface Expired extends AgedArchive {
  readonly reason: 'count' | 'age'
}

/** How often archives that have grown too old are looked for, in milliseconds. */
const INTERVAL = 60_000
/** The most that are deleted in one go, so that a write never waits for long. */
const DELETIONS = 100
const HOLD = '.hold'
const KEPT =
  'audit files are kept although their names are old enough: what else is known of their age contradicts these'

/** The file whose presence protects an archive from deletion, or all archives if it has the active file's name. */
export function holdPath(path: string): string {
  return path + HOLD
}

/** Finds the archives among a directory's names, without those on hold. */
export function archivesNotHeld(names: ArchiveNames, present: readonly string[]): Archive[] {
  const held = new Set(present.filter((name) => name.endsWith(HOLD)).map((name) => name.slice(0, -HOLD.length)))
  return held.has(names.active) ? [] : names.among(present).filter(({ name }) => !held.has(name))
}

/** Selects the archives to delete; takes and returns them oldest first. */
export function expired(archives: readonly AgedArchive[], options: RetentionOptions): Expired[] {
  // Archives with a future time are not counted; else they would push out every archive of the present.
  const counted = archives.filter(({ age }) => age >= 0)
  const excess = options.rotateMaxFiles === 0 ? 0 : Math.max(0, counted.length - options.rotateMaxFiles)
  const result: Expired[] = []
  for (const [index, archive] of counted.entries()) {
    const isTooOld = options.rotateMaxAge > 0 && archive.age > options.rotateMaxAge
    if ((!isTooOld && index >= excess) || archive.age < options.rotateMinAge) continue
    result.push({ ...archive, reason: isTooOld ? 'age' : 'count' })
  }
  return result
}

/** Everything that retention needs of its audit file. */
export interface RetentionParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly log: SinkLogger
  readonly names: ArchiveNames
  readonly lock: Lock
  /** Puts a deletion into the trail. */
  readonly record: (details: LifecycleDetails['retention']) => void
}

/** Deletes the expired archives of one audit file. */
export class Retention {
  private readonly ages: ArchiveAges
  /** The next `run` must look at the archives. */
  private isDue = true
  private lookedAt = Number.NEGATIVE_INFINITY
  /** Number of archives that the last look kept although their names are old enough. */
  private kept = 0
  private readonly deleting: FailureLog
  private readonly correcting: FailureLog

  constructor(
    private readonly options: RetentionOptions,
    private readonly parts: RetentionParts,
  ) {
    const details = { path: parts.names.path(parts.names.active) }
    this.ages = new ArchiveAges(parts.fs, parts.clock, parts.names)
    this.deleting = new FailureLog(parts.log, details, 'old audit files cannot be deleted; nothing else is affected')
    this.correcting = new FailureLog(
      parts.log,
      details,
      'the time of an archive cannot be set right after the clock was; nothing else is affected',
    )
  }

  /** Takes the times that the audit file had when the process started. */
  learn(times: readonly number[]): void {
    this.ages.learn(times)
  }

  /**
   * Sets the audit file's time of modification if the clock is known to be behind, so that the next process learns it.
   */
  async passOn(file: LogFile): Promise<void> {
    const { timeToShow } = this.ages
    if (timeToShow !== undefined) await file.touch(timeToShow)
  }

  /** Notes a new archive; the next `run` looks at all of them. */
  async noteRotation(archive: string): Promise<void> {
    this.isDue = true
    await this.correcting.guard(() => this.ages.noteMade(archive))
  }

  /** Deletes what is due, after a rotation and once a minute; a failure is logged and fails nothing else. */
  async run(): Promise<void> {
    await this.correcting.guard(() => this.ages.correctShown())
    const { rotateMaxFiles, rotateMaxAge } = this.options
    if (rotateMaxFiles === 0 && rotateMaxAge === 0) return
    const now = this.parts.clock.monotonic()
    if (!this.isDue && now - this.lookedAt < INTERVAL) return
    this.isDue = false
    this.lookedAt = now
    await this.deleting.guard(() => this.deleteExpired())
  }

  private async deleteExpired(): Promise<void> {
    const { fs, names, lock, record } = this.parts
    await lock.verify()
    const present = await fs.readdir(names.directory)
    this.ages.forget(present)
    const archives = archivesNotHeld(names, present)
    const due = await this.findDue(archives)
    this.noteKept(archives, due)
    this.isDue = due.length > DELETIONS
    const failures: unknown[] = []
    for (const archive of due.slice(0, DELETIONS)) {
      try {
        const deleted = await this.delete(archive)
        if (deleted !== undefined) record(deleted)
      } catch (error) {
        // An archive that cannot be deleted does not protect the others.
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Finds the expired archives, and examines the first `DELETIONS` of them: a name alone does not prove an age. */
  private async findDue(archives: readonly Archive[]): Promise<Expired[]> {
    for (;;) {
      const due = expired(this.ages.of(archives), this.options)
      let isChanged = false
      for (const archive of due.slice(0, DELETIONS)) if (await this.ages.examine(archive)) isChanged = true
      if (!isChanged) return due
    }
  }

  /** Logs when archives stay that would go if their names and the clock were believed, and when none does any more. */
  private noteKept(archives: readonly Archive[], due: readonly Expired[]): void {
    const { clock, log, names } = this.parts
    const now = clock.now()
    const going = new Set(due.map(({ name }) => name))
    const named = archives.map((archive) => ({ ...archive, age: now - archive.time }))
    const kept = expired(named, this.options).filter(({ name }) => !going.has(name))
    const details = { path: names.path(names.active), archives: kept.length, oldest: kept[0]?.name }
    if (kept.length > 0 && this.kept === 0) log.warn(details, KEPT)
    if (kept.length === 0 && this.kept > 0) log.info(details, `no longer: ${KEPT}`)
    this.kept = kept.length
  }

  /**
   * Deletes an archive unless it was put on hold since the listing, or is gone; resolves with the details to record.
   */
  private async delete({ name, reason }: Expired): Promise<LifecycleDetails['retention'] | undefined> {
    const { fs, names } = this.parts
    const path = names.path(name)
    for (const held of [names.path(names.active), path]) {
      if ((await lookUp(fs, holdPath(held))) !== undefined) return undefined
    }
    const status = await lookUp(fs, path)
    if (status === undefined || status.kind !== 'file') return undefined
    const hash = this.options.sealed ? await lastHash(fs, path) : undefined
    const isDeleted = await unless(
      ['ENOENT'],
      fs.unlink(path).then(() => true),
    )
    if (!isDeleted) return undefined
    return { deleted: name, bytes: status.size, reason, ...(this.kept > 0 && { kept: this.kept }), ...hash }
  }
}

/** Reads the hash of an archive's last line. An unreadable disk does not prevent the deletion. */
async function lastHash(fs: FileSystem, path: string): Promise<{ hash: string } | undefined> {
  const line = await unless(['EIO', 'ENOENT', 'EACCES'], lastLineOf(fs, path, true))
  const seal = line === undefined ? undefined : sealOf(line)
  return seal === undefined ? undefined : { hash: seal.hash }
}
