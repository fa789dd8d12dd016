import { ChangeReport, guarded } from '../../redact/change-report.js'
import type { Redactor } from '../../redact/redactor.js'
import { searchable } from './searchable.js'

/** The most characters that are searched for secrets: what is shown is cut after that, so that no secret is cut in two. */
export const LONGEST_SEARCHED = 2048

/** Returns at most `longest` characters of a text for a message or a log line, without secrets: a client may have chosen it. */
export function shownText(text: string, longest: number, redactor: Redactor): string {
  const changes = new ChangeReport(redactor)
  return guarded('', changes, () => redactor.value(searchable(text, LONGEST_SEARCHED), changes).slice(0, longest))
}
