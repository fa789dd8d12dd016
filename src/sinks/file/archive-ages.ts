import type { Clock } from '../../clock.js'
import { firstEntryTime } from './first-entry.js'
import { type FileSystem, lookUp, NOT_REGULAR, openRegular, READ, unless } from './fs.js'
import type { Archive, ArchiveNames } from './names.js'
import { TrailTime } from './trail-time.js'

/** Times that differ by less than this do not contradict each other, in milliseconds. */
const TOLERANCE = 60_000
/** How long the result of an examination is valid, in milliseconds: somebody may correct the time of modification. */
const LOOK_AGAIN = 3_600_000
/** Most times of modification that are set in one go, so that a write never waits for long. */
const TOUCHES = 100

/** An archive with the time since its rotation, in milliseconds; negative, if that is still to come. */
export interface AgedArchive extends Archive {
  readonly age: number
}

/** An archive that this process made. */
interface Made {
  /** When it was made, by the monotonic clock. */
  readonly at: number
  /** When it seems to have been made, by its name or its time of modification. */
  shown: number
}

/**
 * Knows how old archives are, although a name has the time of a clock that may have been wrong. For an archive of this
 * process the monotonic clock counts; for any other, the latest of its name, its first entry and its time of
 * modification. If the clock turns out to have been wrong at a rotation, the archive's time of modification is set for
 * later processes.
 */
export class ArchiveAges {
  private readonly time: TrailTime
  private readonly made = new Map<string, Made>()
  /** Latest possible time of rotation, by archive. */
  private readonly examined = new Map<string, { readonly time: number; readonly at: number }>()
  /** Latest time less the monotonic clock, at the last correction. */
  private offset: number

  constructor(
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly names: ArchiveNames,
  ) {
    this.time = new TrailTime(clock)
    this.offset = this.currentOffset
  }

  /** Takes the times that the audit file had when the process started. */
  learn(times: readonly number[]): void {
    this.time.learn(times)
  }

  /** The time that the audit file is to show to the next process, if the clock is behind what is known. */
  get timeToShow(): number | undefined {
    const latest = this.time.latest()
    return latest - this.clock.now() > TOLERANCE ? latest : undefined
  }

  /** Notes an archive that this process has just made. */
  async noteMade(name: string): Promise<void> {
    const made = { at: this.clock.monotonic(), shown: this.names.parse(name)?.time ?? this.clock.now() }
    this.made.set(name, made)
    await this.correct(name, made)
  }

  /** Corrects the times of modification of this process's archives after the clock was set. */
  async correctShown(): Promise<void> {
    this.time.observe()
    const offset = this.currentOffset
    if (Math.abs(offset - this.offset) <= TOLERANCE) return
    let touches = 0
    for (const [name, made] of this.made) {
      if (await this.correct(name, made)) touches++
      if (touches === TOUCHES) return
    }
    this.offset = offset
  }

  /** Adds the ages to archives, and sorts them oldest first. */
  of(archives: readonly Archive[]): AgedArchive[] {
    const now = this.clock.monotonic()
    const earliest = this.time.earliest()
    const ageOf = ({ name, time }: Archive): number => {
      const at = this.made.get(name)?.at
      return at === undefined ? earliest - (this.examined.get(name)?.time ?? time) : now - at
    }
    return archives.map((archive) => ({ ...archive, age: ageOf(archive) })).sort((a, b) => b.age - a.age)
  }

  /** Forgets archives that are gone, and examinations that are too old. */
  forget(present: readonly string[]): void {
    const names = new Set(present)
    const until = this.clock.monotonic() - LOOK_AGAIN
    for (const name of this.made.keys()) if (!names.has(name)) this.made.delete(name)
    for (const [name, { at }] of this.examined) if (!names.has(name) || at <= until) this.examined.delete(name)
  }

  /** Examines an archive that was not examined before; true if it is younger than its name. */
  async examine({ name, time }: Archive): Promise<boolean> {
    if (this.made.has(name) || this.examined.has(name)) return false
    const latest = await this.latestTimeOf(this.names.path(name))
    const isYounger = latest > time + TOLERANCE
    this.examined.set(name, { time: isYounger ? latest : time, at: this.clock.monotonic() })
    return isYounger
  }

  /** Returns the latest time of a file's own; 0 if it may not be read. Anything but a regular file is never old. */
  private async latestTimeOf(path: string): Promise<number> {
    const opened = await unless(['ENOENT', 'EACCES', ...NOT_REGULAR], openRegular(this.fs, path, READ, 0))
    if (opened === undefined) return (await lookUp(this.fs, path))?.kind === 'file' ? 0 : Number.MAX_SAFE_INTEGER
    try {
      const first = await unless(['EIO'], firstEntryTime(this.fs, opened.fd))
      return Math.max(opened.status.modified, first ?? 0)
    } finally {
      await this.fs.close(opened.fd)
    }
  }

  /** Sets an archive's time of modification to when it was made, as far as that is known; true if that was needed. */
  private async correct(name: string, made: Made): Promise<boolean> {
    const time = this.time.latest() - (this.clock.monotonic() - made.at)
    if (Math.abs(time - made.shown) <= TOLERANCE) return false
    const opened = await unless(['ENOENT'], openRegular(this.fs, this.names.path(name), READ, 0))
    if (opened === undefined) return false
    try {
      await this.fs.touch(opened.fd, time)
    } finally {
      await this.fs.close(opened.fd)
    }
    made.shown = time
    return true
  }

  private get currentOffset(): number {
    return this.time.latest() - this.clock.monotonic()
  }
}
