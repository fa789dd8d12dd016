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
  /** The lines are sealed: what is deleted is named by its last one, which the first one that is left follows. */
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

/** A file whose presence keeps an archive, or with the active file's name all of its archives, from being deleted. */
export function holdPath(path: string): string {
  return path + HOLD
}

/** The archives among a directory's names that may be deleted: none that is on hold. */
export function archivesNotHeld(names: ArchiveNames, present: readonly string[]): Archive[] {
  const held = new Set(present.filter((name) => name.endsWith(HOLD)).map((name) => name.slice(0, -HOLD.length)))
  return held.has(names.active) ? [] : names.among(present).filter(({ name }) => !held.has(name))
}

/** The archives that are to be deleted, of those that may be; both oldest first. */
export function expired(archives: readonly AgedArchive[], options: RetentionOptions): Expired[] {
  // One of the time to come is not counted, or every archive of the present would be older than those and go at once.
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

/** What retention needs of the file whose archives it deletes. */
export interface RetentionParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly log: SinkLogger
  readonly names: ArchiveNames
  readonly lock: Lock
  /** Puts a deletion into the trail. */
  readonly record: (details: LifecycleDetails['retention']) => void
}

/** Deletes the archives of one audit file that are to go. */
export class Retention {
  private readonly ages: ArchiveAges
  /** There may be too many archives since the last look. */
  private isDue = true
  private lookedAt = Number.NEGATIVE_INFINITY
  /** How many archives were kept at the last look although their names are old enough. */
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

  /** Has the audit file show what time it is, if the clock is known to be behind: the next process learns it from there. */
  async passOn(file: LogFile): Promise<void> {
    const { timeToShow } = this.ages
    if (timeToShow !== undefined) await file.touch(timeToShow)
  }

  /** Has the next `run` look at the archives, of which this one is new. */
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
        // One that cannot be deleted does not protect the others.
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Those that are due, of which the first `DELETIONS` were looked at: a name alone is no proof of age. */
  private async findDue(archives: readonly Archive[]): Promise<Expired[]> {
    for (;;) {
      const due = expired(this.ages.of(archives), this.options)
      let isChanged = false
      for (const archive of due.slice(0, DELETIONS)) if (await this.ages.examine(archive)) isChanged = true
      if (!isChanged) return due
    }
  }

  /** Says so when archives stay that would be deleted if their names and the clock were believed. */
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

  /** Deletes an archive, unless it was put on hold since it was listed, or is gone; resolves with what was deleted. */
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

/** The hash of an archive's last line. A disk that cannot be read any more does not keep the archive from being deleted. */
async function lastHash(fs: FileSystem, path: string): Promise<{ hash: string } | undefined> {
  const line = await unless(['EIO', 'ENOENT', 'EACCES'], lastLineOf(fs, path, true))
  const seal = line === undefined ? undefined : sealOf(line)
  return seal === undefined ? undefined : { hash: seal.hash }
}
