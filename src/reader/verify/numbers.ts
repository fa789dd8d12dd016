import { parseJson } from '../../json.js'
import { isObject } from '../members.js'
import type { Findings, Place } from './findings.js'
import { NumberedRun } from './numbered-run.js'

/** The most runs of servers that are followed at a time, so that memory does not grow with the trail. */
const MOST_RUNS = 10_000

/** The runs of lines without a seal, and their missing numbers. */
export interface NumberCounts {
  readonly runs: number
  readonly missing: number
  readonly unaccounted: number
}

/**
 * Checks the numbers (`seq`) of lines without a seal, which count what the sink was offered in each run of a server. They
 * show damage and carelessness, and prove nothing: whoever deletes lines can number the others anew.
 */
export class Numbers {
  private readonly runs = new Map<string, NumberedRun>()
  /** `retention` entries say that older files were deleted. */
  private isRetained = false
  private begun = 0
  private missing = 0
  private unaccounted = 0

  constructor(private readonly findings: Findings) {}

  /** Takes a line; one without a number is ignored. */
  take(line: Buffer, place: Place): void {
    const value = parseJson(line.toString())
    if (!isObject(value) || !isObject(value.payload)) return
    const { instance, seq, payload } = value
    if (typeof instance !== 'string' || typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return
    const run = this.runs.get(instance) ?? this.begin(instance)
    run.take(seq, place)
    if (payload.type === 'gap' && isObject(payload.gap)) run.takeGap(payload.gap)
    if (payload.type === 'retention') this.isRetained = true
    if (isOfRefused(payload)) run.refused++
  }

  /** Reports missing numbers, and counts them. */
  settle(): NumberCounts {
    for (const instance of [...this.runs.keys()]) this.settleRun(instance)
    return { runs: this.begun, missing: this.missing, unaccounted: this.unaccounted }
  }

  private begin(instance: string): NumberedRun {
    const [oldest] = this.runs.keys()
    if (oldest !== undefined && this.runs.size >= MOST_RUNS) this.settleRun(oldest)
    const run = new NumberedRun(this.findings, this.begun === 0)
    this.begun++
    this.runs.set(instance, run)
    return run
  }

  private settleRun(instance: string): void {
    const { missing, unaccounted } = this.runs.get(instance)?.settle(this.isRetained) ?? { missing: 0, unaccounted: 0 }
    this.missing += missing
    this.unaccounted += unaccounted
    this.runs.delete(instance)
  }
}

/** Says whether a record is the outcome of a refused request, or of refused work, whose entry before it was not stored. */
function isOfRefused({ stage, response, error }: Record<string, unknown>): boolean {
  return stage === 'OperationComplete' && (isObject(response) ? response.error : error) === 'FST_AUDIT_NOT_RECORDED'
}
