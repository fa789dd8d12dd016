import type { Clock } from '../../clock.js'
import type { LifecycleDetails } from '../../event/event.js'
import { sealOf } from '../../event/seal-line.js'
import { FailureLog, type SinkLogger } from '../../logger.js'
import { type FileSystem, lookUp, unless } from './fs.js'
import type { Lock } from './lock.js'
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
export interface Expired extends Archive {
  readonly reason: 'count' | 'age'
}

/** How often archives that have grown too old are looked for, in milliseconds. */
const INTERVAL = 60_000
/** The most that are deleted in one go, so that a write never waits for long. */
const DELETIONS = 100
const HOLD = '.hold'

/** A file whose presence keeps an archive, or with the active file's name all of its archives, from being deleted. */
export function holdPath(path: string): string {
  return path + HOLD
}

/** Which of a directory's names are to be deleted, oldest first. An archive's age is the time since its rotation. */
export function expired(
  names: ArchiveNames,
  present: readonly string[],
  options: RetentionOptions,
  now: number,
): Expired[] {
  const held = new Set(present.filter((name) => name.endsWith(HOLD)).map((name) => name.slice(0, -HOLD.length)))
  if (held.has(names.active)) return []
  // What is on hold is not counted either, or a held archive would push out one that is not; nor is what a clock that
  // was ahead has named, or every archive of the present would be older than those and go at once.
  const free = names.among(present).filter(({ name, time }) => !held.has(name) && time <= now)
  const excess = options.rotateMaxFiles === 0 ? 0 : Math.max(0, free.length - options.rotateMaxFiles)
  const result: Expired[] = []
  for (const [index, archive] of free.entries()) {
    const age = now - archive.time
    const isTooOld = options.rotateMaxAge > 0 && age > options.rotateMaxAge
    if ((!isTooOld && index >= excess) || age < options.rotateMinAge) continue
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
  /** There may be too many archives since the last look. */
  private isDue = true
  private lookedAt = Number.NEGATIVE_INFINITY
  private readonly deleting: FailureLog

  constructor(
    private readonly options: RetentionOptions,
    private readonly parts: RetentionParts,
  ) {
    const details = { path: parts.names.path(parts.names.active) }
    this.deleting = new FailureLog(parts.log, details, 'old audit files cannot be deleted; nothing else is affected')
  }

  /** Has the next `run` look at the archives. */
  noteRotation(): void {
    this.isDue = true
  }

  /** Deletes what is due, after a rotation and once a minute; a failure is logged and fails nothing else. */
  async run(): Promise<void> {
    const { rotateMaxFiles, rotateMaxAge } = this.options
    if (rotateMaxFiles === 0 && rotateMaxAge === 0) return
    const now = this.parts.clock.monotonic()
    if (!this.isDue && now - this.lookedAt < INTERVAL) return
    this.isDue = false
    this.lookedAt = now
    await this.deleting.guard(() => this.deleteExpired())
  }

  private async deleteExpired(): Promise<void> {
    const { fs, clock, names, lock, record } = this.parts
    await lock.verify()
    const due = expired(names, await fs.readdir(names.directory), this.options, clock.now())
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
    return isDeleted ? { deleted: name, bytes: status.size, reason, ...hash } : undefined
  }
}

/** The hash of an archive's last line. A disk that cannot be read any more does not keep the archive from being deleted. */
async function lastHash(fs: FileSystem, path: string): Promise<{ hash: string } | undefined> {
  const line = await unless(['EIO', 'ENOENT', 'EACCES'], lastLineOf(fs, path, true))
  const seal = line === undefined ? undefined : sealOf(line)
  return seal === undefined ? undefined : { hash: seal.hash }
}
