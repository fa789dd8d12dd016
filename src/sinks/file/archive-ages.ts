import type { Clock } from '../../clock.js'
import { firstEntryTime } from './first-entry.js'
import { type FileSystem, lookUp, NOT_REGULAR, openRegular, READ, unless } from './fs.js'
import type { Archive, ArchiveNames } from './names.js'
import { TrailTime } from './trail-time.js'

/** Times that differ by less than this do not contradict each other, in milliseconds. */
const TOLERANCE = 60_000
/** How long the look at an archive counts, in milliseconds: somebody may set its time of modification right. */
const LOOK_AGAIN = 3_600_000
/** The most whose times are set in one go, so that a write never waits for long. */
const TOUCHES = 100

/** An archive with the time since its rotation, in milliseconds; negative, if that is still to come. */
export interface AgedArchive extends Archive {
  readonly age: number
}

/** What an archive that this process made shows to others. */
interface Made {
  /** When it was made, by the monotonic clock. */
  readonly at: number
  /** When it seems to have been made, by its name or its time of modification. */
  shown: number
}

/**
 * How old archives are. A name has the time of a clock that may have been wrong. So an archive of this process is as old
 * as the monotonic clock says, and any other one as young as its name, its first entry and its time of modification allow.
 * Where the clock was wrong when an archive was made, its time of modification is set, for the processes to come.
 */
export class ArchiveAges {
  private readonly time: TrailTime
  private readonly made = new Map<string, Made>()
  /** The latest time that says something of an archive's rotation. */
  private readonly examined = new Map<string, { readonly time: number; readonly at: number }>()
  /** The time of day less the monotonic clock, when what archives show was last compared with it. */
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

  /** This process has just made the archive. */
  async noteMade(name: string): Promise<void> {
    const made = { at: this.clock.monotonic(), shown: this.names.parse(name)?.time ?? this.clock.now() }
    this.made.set(name, made)
    await this.correct(name, made)
  }

  /** Corrects what archives of this process show, after the clock was set. */
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

  /** The ages of archives, oldest first. The ones that are gone are forgotten. */
  of(archives: readonly Archive[]): AgedArchive[] {
    const now = this.clock.monotonic()
    const earliest = this.time.earliest()
    const ageOf = ({ name, time }: Archive): number => {
      const at = this.made.get(name)?.at
      return at === undefined ? earliest - (this.examined.get(name)?.time ?? time) : now - at
    }
    return archives.map((archive) => ({ ...archive, age: ageOf(archive) })).sort((a, b) => b.age - a.age)
  }

  /** Forgets archives that are gone, and looks that were too long ago. */
  forget(present: readonly string[]): void {
    const names = new Set(present)
    const until = this.clock.monotonic() - LOOK_AGAIN
    for (const name of this.made.keys()) if (!names.has(name)) this.made.delete(name)
    for (const [name, { at }] of this.examined) if (!names.has(name) || at <= until) this.examined.delete(name)
  }

  /** Looks for what contradicts an archive's name; true when the archive was not looked at before and is younger. */
  async examine({ name, time }: Archive): Promise<boolean> {
    if (this.made.has(name) || this.examined.has(name)) return false
    const latest = await this.latestTimeOf(this.names.path(name))
    const isYounger = latest > time + TOLERANCE
    this.examined.set(name, { time: isYounger ? latest : time, at: this.clock.monotonic() })
    return isYounger
  }

  /** Something else than a regular file is of no age at all; one that may not be read has nothing to say. */
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

  /** Has an archive of this process show when it was made, as far as that can be known; true when that was needed. */
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
