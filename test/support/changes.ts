import { ChangeReport } from '../../src/redact/change-report.js'
import { Redactor } from '../../src/redact/redactor.js'

const BUILT_IN = new Redactor()

/** A report of changes, by the built-in rules unless others are given. */
export function newChanges(redactor = BUILT_IN): ChangeReport {
  return new ChangeReport(redactor)
}
