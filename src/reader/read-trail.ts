import { AuditTrailUnreadable } from '../errors.js'
import { contentOf } from './contents.js'
import { closeFiles, findFiles, type TrailFile } from './files.js'
import { isTorn, linesIn, wholeLines } from './lines.js'
import { Pairs } from './pairing.js'
import { type CompiledQuery, compileQuery, type TrailQuery } from './query.js'
import { parseRecord, type TrailExchange } from './record.js'
import { newSurvey, surveyFile } from './survey.js'

/** What was met while a trail was read. */
export interface TrailCounts {
  files: number
  /** Archives that were passed over because they were rotated more than a day before `since`. */
  skippedFiles: number
  /** Bytes of the files that were read by now, which is done twice, and how many there are to read. */
  bytesRead: number
  bytes: number
  lines: number
  /** Exchanges that were given out. */
  exchanges: number
  /** Ends of files that are no whole lines. */
  torn: number
  /** Lines that are no records of either format, among those that were looked at. */
  foreign: number
  /** Lines that were passed over because they are longer than any record. */
  tooLong: number
  /** What the trail says of itself: how often records are missing, how many surely, and how many perhaps. */
  gaps: number
  lost: number
  inDoubt: number
  /** Given out as open because too many were open at once: an outcome may follow. */
  forgotten: number
  /** Corrections that were too many to be applied. */
  unapplied: number
  /** Archives that were deleted before they were read. */
  deletedFiles: string[]
}

/** A trail that is being read: what it yields, and what was met so far. It can be read once. */
export interface TrailReading extends AsyncIterable<TrailExchange> {
  readonly counts: Readonly<TrailCounts>
}

const DAY = 86_400_000

/**
 * Reads the exchanges of a trail that match a query: its records joined, corrections applied. `paths` are files of
 * either format, compressed or not, in any order; an active file stands for its archives beside it as well, a directory
 * for the trails in it. Each exchange comes when its outcome was recorded, and those without one at the end. The trail is
 * read as it is when the reading begins, in memory that does not grow with it.
 *
 * @throws `FST_AUDIT_INVALID_QUERY` at once; while reading `FST_AUDIT_NO_TRAIL`, the system's error when a file cannot
 * be opened, and, after all that can be read, `FST_AUDIT_TRAIL_UNREADABLE`.
 *
 * @example
 * ```ts
 * import { readTrail } from 'fastify-audit-log'
 *
 * const trail = readTrail('./data/audit/audit.log', { since: '24h', status: ['401', '403'] })
 * for await (const { timestamp, auth, request } of trail) {
 *   console.log(timestamp, auth?.accessor_id, request?.endpoint)
 * }
 * if (trail.counts.gaps > 0) console.log('the trail has gaps')
 * ```
 */
export function readTrail(paths: string | readonly string[], query: TrailQuery = {}): TrailReading {
  return new Reading(typeof paths === 'string' ? [paths] : paths, compileQuery(query, Date.now()))
}

class Reading implements TrailReading {
  readonly counts: TrailCounts = {
    files: 0,
    skippedFiles: 0,
    bytesRead: 0,
    bytes: 0,
    lines: 0,
    exchanges: 0,
    torn: 0,
    foreign: 0,
    tooLong: 0,
    gaps: 0,
    lost: 0,
    inDoubt: 0,
    forgotten: 0,
    unapplied: 0,
    deletedFiles: [],
  }
  /** What could not be read, by its path. */
  private readonly troubles = new Map<string, string>()

  constructor(
    private readonly paths: readonly string[],
    private readonly query: CompiledQuery,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<TrailExchange> {
    const found = await findFiles(this.paths)
    try {
      const files = found.filter((file) => !this.isBefore(file))
      this.counts.files = files.length
      this.counts.skippedFiles = found.length - files.length
      // Twice: corrections come after what they correct.
      this.counts.bytes = 2 * files.reduce((bytes, { size }) => bytes + size, 0)
      const pairs = await this.surveyed(files)
      for (const file of files) yield* this.exchangesOf(file, pairs)
      yield* this.given((emit) => pairs.end(emit))
    } finally {
      await closeFiles(found)
    }
    if (this.troubles.size > 0) {
      throw new AuditTrailUnreadable([...this.troubles].map(([path, trouble]) => `${path}: ${trouble}`).join('; '))
    }
  }

  /** A day's grace, for the clock may have been set back before the rotation. */
  private isBefore({ rotatedAt }: TrailFile): boolean {
    return rotatedAt !== undefined && rotatedAt + DAY < this.query.since
  }

  private async surveyed(files: readonly TrailFile[]): Promise<Pairs> {
    const survey = newSurvey()
    for (const file of files) {
      await this.guard(file, () => surveyFile(file, survey, (bytes) => this.took(bytes)))
    }
    const { corrections, ...counted } = survey
    Object.assign(this.counts, counted)
    return new Pairs(this.query, corrections)
  }

  private async *exchangesOf(file: TrailFile, pairs: Pairs): AsyncGenerator<TrailExchange> {
    const parts = wholeLines(
      contentOf(file, (bytes) => this.took(bytes)),
      () => void this.counts.tooLong++,
    )
    try {
      for (;;) {
        const part = await this.guard(file, () => parts.next())
        if (part === undefined || part.done === true) return
        yield* this.given((emit) => this.takePart(part.value, pairs, emit))
      }
    } finally {
      await parts.return(undefined)
    }
  }

  private *given(take: (emit: (exchange: TrailExchange) => void) => void): Generator<TrailExchange> {
    const exchanges: TrailExchange[] = []
    take((exchange) => exchanges.push(exchange))
    this.counts.exchanges += exchanges.length
    yield* exchanges
  }

  private takePart(part: Buffer, pairs: Pairs, emit: (exchange: TrailExchange) => void): void {
    // A part that ends within a line is nothing but that line.
    const unknown = isTorn(part) ? 'torn' : 'foreign'
    for (const line of linesIn(part)) {
      this.counts.lines++
      if (!this.query.mayMatter(line)) {
        if (!looksLikeRecord(line)) this.counts[unknown]++
        continue
      }
      const record = parseRecord(line.toString())
      if (record === undefined) this.counts[unknown]++
      else if (record.kind === 'received' || record.kind === 'complete') pairs.add(record, line.length, emit)
    }
    this.counts.forgotten = pairs.forgotten
  }

  private took(bytes: number): void {
    this.counts.bytesRead += bytes
  }

  /** Goes on with the next file when one cannot be read: what is left may be what is looked for. */
  private async guard<Result>(file: TrailFile, read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      // Retention may delete what was found before it is read.
      if (error.code !== 'ENOENT') this.troubles.set(file.path, error.message)
      else if (!this.counts.deletedFiles.includes(file.path)) this.counts.deletedFiles.push(file.path)
      return undefined
    }
  }
}

const OPENING = 0x7b
const CLOSING = 0x7d

/** Enough to tell a record from a torn or foreign line where none is looked for. */
function looksLikeRecord(line: Buffer): boolean {
  return line.at(0) === OPENING && line.at(-1) === CLOSING
}
