import { AuditTrailUnreadable } from '../errors.js'
import { contentOf, FileGone, isUnreadable } from './contents.js'
import { withoutCopies } from './copies.js'
import { inOrder } from './entry-order.js'
import { closeFiles, findFiles } from './files.js'
import { isTorn, linesIn, wholeLines } from './lines.js'
import { Pairs } from './pairing.js'
import { type CompiledQuery, compileQuery, type TrailQuery } from './query.js'
import { isStaged, parseRecord } from './record.js'
import { Survey, type SurveyedFile, unseen } from './survey.js'
import { TimeRange } from './time-range.js'
import type { TrailExchange } from './trail-exchange.js'
import type { TrailFile } from './trail-file.js'

/** Counts of what was read and found. */
export interface TrailCounts {
  files: number
  /** Files that hold nothing of the range of times asked for; they were looked through once. */
  skippedFiles: number
  /** Files that are copies: another one begins with the same line, and holds as much or more. */
  copies: string[]
  /** Bytes of files read so far, and in total; files are read twice. */
  bytesRead: number
  bytes: number
  lines: number
  /** Exchanges that matched. */
  exchanges: number
  /** Files that end within a line. */
  torn: number
  /** Parsed lines that are not a record of either format. */
  foreign: number
  /** Lines that were skipped because they are longer than any record. */
  tooLong: number
  /** What `gap` entries say: their number, and how many records are lost or in doubt. */
  gaps: number
  lost: number
  inDoubt: number
  /** Exchanges given as open because too many were open at once; an outcome may follow. */
  forgotten: number
  /** Corrections beyond the bound, which were not applied. */
  unapplied: number
  /** Entries `end` beyond the bound, which were not joined with their requests. */
  unjoined: number
  /** Files that were deleted before they were read. */
  deletedFiles: string[]
}

/** A trail being read: yields exchanges, and counts. It can be iterated once. */
export interface TrailReading extends AsyncIterable<TrailExchange> {
  readonly counts: Readonly<TrailCounts>
}

/**
 * Reads the exchanges of a trail that match a query, requests and actions: their records joined, corrections applied.
 * `paths` are files of either format, compressed or not, in any order; an active file stands for the rest of its trail beside it as well,
 * a directory for the trails in it. Exchanges come in the order of their outcomes, those without one at the end. The
 * trail is read as it is when the reading begins, in memory that does not grow with it.
 *
 * @throws `FST_AUDIT_INVALID_QUERY` at once; while reading `FST_AUDIT_NO_TRAIL`, the system's error for a directory
 * that cannot be read, and, after all that can be read, `FST_AUDIT_TRAIL_UNREADABLE`, which names the files that
 * cannot.
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
    copies: [],
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
    unjoined: 0,
    deletedFiles: [],
  }
  /** Why a file could not be read, by its path. */
  private readonly troubles = new Map<string, string>()

  constructor(
    private readonly paths: readonly string[],
    private readonly query: CompiledQuery,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<TrailExchange> {
    const { files, unreadable } = await findFiles(this.paths)
    for (const { path, reason } of unreadable) this.troubles.set(path, reason)
    try {
      // Every file is read twice: corrections and ends come after what they belong to.
      this.counts.bytes = 2 * files.reduce((bytes, { size }) => bytes + size, 0)
      const survey = new Survey(new TimeRange(this.query.since, this.query.until))
      const surveyed = await this.surveyed(files, survey)
      const pairs = new Pairs(this.query, survey.followUps)
      for (const { file } of this.chosen(surveyed)) yield* this.exchangesOf(file, pairs)
      yield* this.given((emit) => pairs.end(emit))
    } finally {
      await closeFiles(files)
    }
    if (this.troubles.size > 0) {
      throw new AuditTrailUnreadable([...this.troubles].map(([path, trouble]) => `${path}: ${trouble}`).join('; '))
    }
  }

  private async surveyed(files: readonly TrailFile[], survey: Survey): Promise<SurveyedFile[]> {
    const surveyed: SurveyedFile[] = []
    for (const file of files) {
      const seen = unseen(file)
      surveyed.push(seen)
      await this.guard(file, () => survey.take(file, seen, (bytes) => this.took(bytes)))
    }
    Object.assign(this.counts, survey.counts)
    return surveyed
  }

  /** Selects the files to read, and puts them in the order of their entries. */
  private chosen(surveyed: readonly SurveyedFile[]): SurveyedFile[] {
    const { kept, copies } = withoutCopies(surveyed, ({ path }) => this.troubles.has(path))
    for (const { path } of copies) {
      // The other file holds everything of it that could be read.
      this.troubles.delete(path)
      this.counts.copies.push(path)
    }
    const chosen = inOrder(kept).filter(({ mayMatter, bytes }) => mayMatter || bytes === 0)
    this.counts.files = chosen.length
    this.counts.skippedFiles = kept.length - chosen.length
    this.counts.bytes = this.counts.bytesRead + chosen.reduce((bytes, { file }) => bytes + file.size, 0)
    return chosen
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
    // A part that ends within a line is that line alone.
    const unknown = isTorn(part) ? 'torn' : 'foreign'
    for (const line of linesIn(part)) {
      this.counts.lines++
      if (!this.query.mayMatter(line)) {
        if (!looksLikeRecord(line)) this.counts[unknown]++
        continue
      }
      const record = parseRecord(line.toString())
      if (record === undefined) this.counts[unknown]++
      else if (isStaged(record)) pairs.add(record, line.length, emit)
    }
    this.counts.forgotten = pairs.forgotten
  }

  /** Notes a file that was deleted, as by retention, before it was read. */
  private deleted(path: string): void {
    if (!this.counts.deletedFiles.includes(path)) this.counts.deletedFiles.push(path)
  }

  private took(bytes: number): void {
    this.counts.bytesRead += bytes
  }

  /** Notes why a file cannot be read, so that the others are read. */
  private async guard<Result>(file: TrailFile, read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof FileGone) this.deleted(file.path)
      else if (isUnreadable(error)) this.troubles.set(file.path, error.message)
      else throw error
      return undefined
    }
  }
}

const OPENING = 0x7b
const CLOSING = 0x7d

/** A cheap test for lines that cannot match and are not parsed. */
function looksLikeRecord(line: Buffer): boolean {
  return line.at(0) === OPENING && line.at(-1) === CLOSING
}
