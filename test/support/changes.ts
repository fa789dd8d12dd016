import { ChangeReport } from '../../src/redact/change-report.js'
import { Redactor } from '../../src/redact/redactor.js'

/** The bounds of annotations by default. */
export const ANNOTATION_BOUNDS = { maxKeys: 16, maxBytes: 4096 } as const

/** The bounds of changes by default. */
export const CHANGE_BOUNDS = { maxChanges: 64, maxBytes: 8192 } as const

const BUILT_IN = new Redactor()

/** A report of changes, by the built-in rules unless others are given. */
export function newChanges(redactor = BUILT_IN): ChangeReport {
  return new ChangeReport(redactor)
}
