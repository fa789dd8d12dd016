import { contentOf } from './contents.js'
import type { TrailFile } from './files.js'
import { linesIn, wholeLines } from './lines.js'
import { type Correction, isObject, parseRecord } from './record.js'

/** More corrections than this are not held, and so not applied. */
export const MAX_CORRECTIONS = 100_000

/** What must be known of a trail before it is read. */
export interface Survey {
  readonly corrections: Map<string, Correction>
  /** Corrections beyond the bound. */
  unapplied: number
  gaps: number
  lost: number
  inDoubt: number
}

const CORRECTION = Buffer.from('"correction"')
const GAP = Buffer.from('"gap"')

export function newSurvey(): Survey {
  return { corrections: new Map(), unapplied: 0, gaps: 0, lost: 0, inDoubt: 0 }
}

/**
 * Looks a file through for corrections, which come after what they correct, and for gaps. At the speed of a search for
 * bytes: strangers cannot write either word with its quotes into a line but in bodies, which costs time and no more.
 */
export async function surveyFile(file: TrailFile, survey: Survey, onBytes: (bytes: number) => void): Promise<void> {
  for await (const part of wholeLines(contentOf(file, onBytes), () => undefined)) {
    if (!part.includes(CORRECTION) && !part.includes(GAP)) continue
    for (const line of linesIn(part)) {
      if (line.includes(CORRECTION) || line.includes(GAP)) takeLine(line.toString(), survey)
    }
  }
}

function takeLine(line: string, survey: Survey): void {
  const record = parseRecord(line)
  if (record?.kind === 'correction') takeCorrection(record.id, record.correction, survey)
  else if (record?.kind === 'life' && record.type === 'gap' && isObject(record.details)) {
    survey.gaps++
    survey.lost += count(record.details.lost)
    survey.inDoubt += count(record.details.in_doubt)
  }
}

/** The last correction is what was sent. */
function takeCorrection(id: string, correction: Correction, survey: Survey): void {
  const { corrections } = survey
  if (corrections.size < MAX_CORRECTIONS || corrections.has(id)) corrections.set(id, correction)
  else survey.unapplied++
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
