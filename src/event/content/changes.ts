import { flatten } from '../../json.js'
import { type ChangeReport, guarded } from '../../redact/change-report.js'
import { ChangeWriter, type Written } from './change.js'
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

export const CHANGE_BOUNDS: ChangeBounds = { maxChanges: 64, maxBytes: 8192 }

/**
 * Returns the changes between two values as a JSON list, '' if there are none, or if they were left out (and marked).
 * If `before` is undefined or null, the whole of `after` was added; the other way round, the whole of `before` was
 * removed. Calls nothing of the values.
 */
export function writeChanges(
  before: unknown,
  after: unknown,
  options: ChangesOptions | undefined,
  report: ChangeReport,
  bounds: ChangeBounds = CHANGE_BOUNDS,
  marks: ReadonlySet<string> | null = null,
): string {
  return guarded(PATH, report, () => {
    const comparison = new Comparison(bounds.maxChanges, idsOf(options), report)
    comparison.compare(before, after, marks)
    return writeFound(comparison, bounds.maxBytes, report)
  })
}

function writeFound(comparison: Comparison, maxBytes: number, report: ChangeReport): string {
  const writers = comparison.found.map((difference) => new ChangeWriter(difference, report))
  const room = maxBytes - '[]'.length + ','.length
  const written = writers.map((writer) => writer.write(Math.floor(room / writers.length)))
  fitShares(written, writers, room, (writer, share) => writer.write(share))
  const present = written.filter(({ json }) => json !== '')
  const json = present.length === 0 ? '' : flatten(`[${present.map((change) => change.json).join(',')}]`)
  for (const change of present) report.redacted += change.redacted
  if (Buffer.byteLength(json) !== json.length) report.isAscii = false
  mark(comparison, written, json, report)
  return json
}

/** Marks what is cut or missing in the list. */
function mark(comparison: Comparison, written: readonly Written[], json: string, report: ChangeReport): void {
  let [bytes, longTexts, leftOut] = ['[]'.length - ','.length, 0, 0]
  for (const change of written) {
    bytes += change.whole
    longTexts += change.longTexts
    if (change.json === '') leftOut++
  }
  const kept = Buffer.byteLength(json)
  if (bytes > kept && written.length > 0) report.markTruncated(PATH, bytes, kept)
  const reasons = [
    [comparison.surplus, 'changes too many'],
    [leftOut, 'changes too long'],
    [longTexts, 'texts too long'],
    [comparison.notPlain, 'values not plain'],
    [comparison.tooDeep, 'values too deep'],
  ] as const
  const given = reasons.filter(([number]) => number > 0).map(([number, reason]) => `${number} ${reason}`)
  if (comparison.isCut) given.push(`all after ${MOST_VALUES} values`)
  if (given.length > 0) report.markOmitted(json === '' ? PATH : `${PATH}.*`, given.join(', '))
}

function idsOf(options: ChangesOptions | undefined): readonly string[] {
  const id = options?.id
  if (typeof id === 'string') return [id]
  return Array.isArray(id) ? id.filter((key) => typeof key === 'string').slice(0, MOST_IDS) : []
}
