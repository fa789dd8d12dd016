import { contentOf } from './contents.js'
import { HeldFollowUps } from './follow-ups.js'
import { isTorn, linesIn, wholeLines } from './lines.js'
import { lastMarkIn, type Mark } from './mark.js'
import { isObject } from './members.js'
import { parseRecord } from './record.js'
import type { TimeRange } from './time-range.js'
import type { TrailFile } from './trail-file.js'

/** What is known of a file after it was looked through. */
export interface SurveyedFile {
  readonly file: TrailFile
  readonly path: string
  readonly first: Mark | undefined
  /** The last record that can be read. */
  last: Mark | undefined
  /** Bytes of lines that can be read. */
  bytes: number
  /** True if it may hold records of the range of times. */
  mayMatter: boolean
}

/** The types of the entries that are looked for, as their lines have them. */
const TYPES = ['correction', 'end', 'gap'].map((type) => Buffer.from(`"${type}"`))

/**
 * Looks through files for corrections and ends, which come after what they belong to, for gaps, and for the last record
 * of each. It searches bytes and parses only lines with one of three quoted words; clients can write these only in
 * bodies, which costs time and nothing else.
 */
export class Survey {
  readonly followUps = new HeldFollowUps()
  private readonly gaps = { gaps: 0, lost: 0, inDoubt: 0 }

  constructor(private readonly range: TimeRange) {}

  get counts(): { unapplied: number; unjoined: number; gaps: number; lost: number; inDoubt: number } {
    const { correction: unapplied, end: unjoined } = this.followUps.refused
    return { unapplied, unjoined, ...this.gaps }
  }

  /** Looks through a file; what is `seen` before an error counts. */
  async take(file: TrailFile, seen: SurveyedFile, onBytes: (bytes: number) => void): Promise<void> {
    let ending: Buffer = Buffer.alloc(0)
    try {
      for await (const part of wholeLines(contentOf(file, onBytes), () => undefined)) {
        if (!isTorn(part) || seen.bytes === 0) ending = part
        seen.bytes += part.length
        seen.mayMatter ||= this.range.mayHold(part)
        this.takePart(part)
      }
    } finally {
      seen.last = lastMarkIn(ending)
    }
  }

  private takePart(part: Buffer): void {
    const types = TYPES.filter((type) => part.includes(type))
    if (types.length === 0) return
    for (const line of linesIn(part)) if (types.some((type) => line.includes(type))) this.takeLine(line)
  }

  private takeLine(line: Buffer): void {
    const record = parseRecord(line.toString())
    if (record?.kind === 'correction' || record?.kind === 'end') this.followUps.take(record, line.length)
    else if (record?.kind === 'life' && record.type === 'gap' && isObject(record.details)) {
      this.gaps.gaps++
      this.gaps.lost += count(record.details.lost)
      this.gaps.inDoubt += count(record.details.in_doubt)
    }
  }
}

export function unseen(file: TrailFile): SurveyedFile {
  return { file, path: file.path, first: file.first, last: undefined, bytes: 0, mayMatter: false }
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
