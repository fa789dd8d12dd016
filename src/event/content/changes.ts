import { flatten } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import { ChangeWriter } from './change.js'
import { Comparison, MOST_VALUES } from './comparison.js'
import { fitShares } from './fair-shares.js'

const PATH = 'changes'
const MOST_IDS = 16

/** How two values are compared. */
export interface ChangesOptions {
  /**
   * The key that identifies the items of a list, or several, of which the first that fits a list is used. Lists whose
   * items all are objects with another text or number under it are compared item by item, wherever they stand. All
   * other lists are compared by index.
   */
  id?: string | readonly string[] | undefined
}

/** Limits of the changes of one record. */
export interface ChangeBounds {
  readonly maxChanges: number
  readonly maxBytes: number
}

/** Counts of what is missing in a list, which `omitted` names. */
const REASONS = [
  ['surplus', 'changes too many'],
  ['tooLong', 'changes too long'],
  ['longTexts', 'texts too long'],
  ['notPlain', 'values not plain'],
  ['tooDeep', 'values too deep'],
] as const

/** The changes of one record, as JSON that is redacted and bounded when they are given. */
export class ChangeList {
  private members = ''
  /** The bytes of the list so far, and those that it takes if nothing is cut. */
  private bytes = '[]'.length - ','.length
  private whole = this.bytes
  private count = 0
  private redacted = 0
  private readonly missing = { surplus: 0, tooLong: 0, longTexts: 0, notPlain: 0, tooDeep: 0 }
  private isCut = false
  private isFailed = false

  /** `marks` are further secret names of keys, in their normal form. */
  constructor(
    private readonly report: ChangeReport,
    private readonly bounds: ChangeBounds,
    private readonly marks: ReadonlySet<string> | null = null,
  ) {}

  /**
   * Adds the changes between two values. If `before` is undefined or null, the whole of `after` was added; the other way
   * round, the whole of `before` was removed. Calls nothing of the values. False if something is cut or left out.
   */
  add(before: unknown, after: unknown, options: ChangesOptions | undefined): boolean {
    const { missing } = this
    const cutBefore = this.whole - this.bytes
    const missingBefore = sum(missing)
    try {
      const comparison = new Comparison(this.bounds.maxChanges - this.count, idsOf(options), this.report)
      comparison.compare(before, after, this.marks)
      this.write(comparison)
      missing.surplus += comparison.surplus
      missing.notPlain += comparison.notPlain
      missing.tooDeep += comparison.tooDeep
      this.isCut ||= comparison.isCut
      return this.whole - this.bytes === cutBefore && sum(missing) === missingBefore && !comparison.isCut
    } catch {
      // Neither the record nor the request is lost by a redactor that fails.
      this.isFailed = true
      return false
    }
  }

  /** Returns the list, '' if it is empty; call it once. Marks what is cut or missing only now. */
  toJson(): string {
    const { report, bytes, whole } = this
    const json = this.members === '' ? '' : flatten(`[${this.members}]`)
    report.redacted += this.redacted
    if (Buffer.byteLength(json) !== json.length) report.isAscii = false
    if (whole > bytes) report.markTruncated(PATH, whole, json === '' ? 0 : bytes)
    const reasons: string[] = []
    for (const [key, reason] of REASONS) if (this.missing[key] > 0) reasons.push(`${this.missing[key]} ${reason}`)
    if (this.isCut) reasons.push(`all after ${MOST_VALUES} values`)
    if (this.isFailed) reasons.push('redaction failed')
    if (reasons.length > 0) report.markOmitted(json === '' ? PATH : `${PATH}.*`, reasons.join(', '))
    return json
  }

  private write({ found }: Comparison): void {
    const room = this.bounds.maxBytes - this.bytes
    const writers = found.map((difference) => new ChangeWriter(difference, this.report))
    const written = writers.map((writer) => writer.write(Math.floor(room / writers.length)))
    fitShares(written, writers, room, (writer, share) => writer.write(share))
    for (const { json, bytes, whole, longTexts, redacted } of written) {
      this.whole += whole
      if (json === '') {
        this.missing.tooLong++
        continue
      }
      this.members += this.members === '' ? json : `,${json}`
      this.bytes += bytes
      this.count++
      this.redacted += redacted
      this.missing.longTexts += longTexts
    }
  }
}

function sum(numbers: Readonly<Record<string, number>>): number {
  return Object.values(numbers).reduce((total, number) => total + number, 0)
}

function idsOf(options: ChangesOptions | undefined): readonly string[] {
  const id = options?.id
  if (typeof id === 'string') return [id]
  return Array.isArray(id) ? id.filter((key) => typeof key === 'string').slice(0, MOST_IDS) : []
}
