import { parseJson } from '../../json.js'
import { isObject } from '../record.js'
import type { Findings, Place } from './findings.js'
import { NumberedRun } from './numbered-run.js'

/** The most runs of servers that are followed at a time, so that memory does not grow with the trail. */
const MOST_RUNS = 10_000

/** What the numbers of lines without a seal say. */
export interface NumberCounts {
  readonly runs: number
  readonly missing: number
  readonly unaccounted: number
}

/**
 * Holds lines without a seal to their numbers (`seq`), which count in each run of a server what the sink was offered. They
 * prove nothing, because whoever deletes lines can number the others anew; but they show carelessness and damage.
 */
export class Numbers {
  private readonly runs = new Map<string, NumberedRun>()
  /** `retention` entries say that older files were deleted. */
  private isRetained = false
  private begun = 0
  private missing = 0
  private unaccounted = 0

  constructor(private readonly findings: Findings) {}

  /** A line, if it is one that the plugin numbered. */
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

  /** Reports what is missing without a word. */
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

/** The outcome of a request that was refused, because the entry before it could not be stored: its number is missing. */
function isOfRefused({ stage, response }: Record<string, unknown>): boolean {
  return stage === 'OperationComplete' && isObject(response) && response.error === 'FST_AUDIT_NOT_RECORDED'
}
