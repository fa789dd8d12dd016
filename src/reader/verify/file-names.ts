import { basename, extname } from 'node:path'
import type { Findings, Place } from './findings.js'

/** Holds the files of a trail to the names that its `rotation` and `retention` entries give them. */
export class FileNames {
  /** The names of the files before the current one, also without their last extension: a compressed file has one more. */
  private readonly before = new Set<string>()
  private current: string | undefined
  /** Archives that are not where the trail says, unless they were deleted. */
  private readonly absent = new Map<string, Place>()
  private readonly gone = new Set<string>()

  /** `unreadable`: names of files that are there, and are reported elsewhere. */
  constructor(
    private readonly findings: Findings,
    unreadable: readonly string[] = [],
  ) {
    for (const name of unreadable) this.before.add(name)
  }

  /** Begins the next file. */
  begin(name: string): void {
    const { current } = this
    if (current !== undefined) this.before.add(current).add(basename(current, extname(current)))
    this.current = name
  }

  /** Takes an entry that gives the file before this one a name. */
  rotated(archive: string | undefined, place: Place): void {
    if (archive !== undefined && !this.before.has(archive)) this.absent.set(archive, place)
  }

  /** Takes an entry that says that a file was deleted. */
  deleted(name: string | undefined): void {
    if (name !== undefined) this.gone.add(name)
  }

  /** Reports the names that no file has. */
  settle(): void {
    for (const [archive, place] of this.absent) {
      if (!this.gone.has(archive)) {
        const name = JSON.stringify(archive)
        this.findings.add(
          'renamed',
          place,
          `says that the file before it was named ${name}, and none before it has that name`,
        )
      }
    }
  }
}
