import { contentOf } from './contents.js'
import { isTorn, linesIn, wholeLines } from './lines.js'
import { lastMarkIn, type Mark } from './mark.js'
import { type Correction, isObject, parseRecord, type TrailRecord } from './record.js'
import type { TimeRange } from './time-range.js'
import type { TrailFile } from './trail-file.js'

/** The most corrections that are held; further ones are not applied. */
const MAX_CORRECTIONS = 100_000

/** What is known of a file after it was looked through. */
export interface SurveyedFile {
  readonly file: TrailFile
  readonly path: string
  readonly first: Mark | undefined
  /** The last record that can be read. */
  last: Mark | undefined
  /** Bytes of lines that can be read. */
  bytes: number
  /** Whether it may hold a request received within the range of times asked for. */
  mayMatter: boolean
}

const CORRECTION = Buffer.from('"correction"')
const GAP = Buffer.from('"gap"')

/**
 * Looks through files for corrections, which come after what they correct, for gaps, and for the last record of each.
 * It searches bytes and parses only lines with one of two quoted words; clients can write these only in bodies, which
 * costs time and nothing else.
 */
export class Survey {
  readonly corrections = new Map<string, Correction>()
  readonly counts = { unapplied: 0, gaps: 0, lost: 0, inDoubt: 0 }
  /** The `seq` of the correction that is held for each request. */
  private readonly latest = new Map<string, number>()

  constructor(private readonly range: TimeRange) {}

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
    if (!part.includes(CORRECTION) && !part.includes(GAP)) return
    for (const line of linesIn(part)) {
      if (line.includes(CORRECTION) || line.includes(GAP)) this.takeLine(line.toString())
    }
  }

  private takeLine(line: string): void {
    const record = parseRecord(line)
    if (record?.kind === 'correction') this.takeCorrection(record)
    else if (record?.kind === 'life' && record.type === 'gap' && isObject(record.details)) {
      this.counts.gaps++
      this.counts.lost += count(record.details.lost)
      this.counts.inDoubt += count(record.details.in_doubt)
    }
  }

  /** Keeps the correction with the highest `seq`: the order of files is not known yet. */
  private takeCorrection({ id, seq, correction }: Extract<TrailRecord, { kind: 'correction' }>): void {
    const { corrections, latest } = this
    if (corrections.size >= MAX_CORRECTIONS && !corrections.has(id)) {
      this.counts.unapplied++
      return
    }
    if (seq !== undefined) {
      if ((latest.get(id) ?? 0) > seq) return
      latest.set(id, seq)
    }
    corrections.set(id, correction)
  }
}

export function unseen(file: TrailFile): SurveyedFile {
  return { file, path: file.path, first: file.first, last: undefined, bytes: 0, mayMatter: false }
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
