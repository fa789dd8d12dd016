import { cut, escapeText, isPlain } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import { SEARCHED_KEY } from '../../redact/limits.js'
import { endOfWords } from '../../redact/redactor.js'

/** The most bytes of a pointer in a line. */
const LONGEST_POINTER = 512

/** A place within a value: one step from the place of the object or list that holds it. */
export interface Place {
  readonly parent: Place | undefined
  readonly step: string | number
  /** The id of the list item in which the place is, if its list is compared by ids. */
  readonly item: ItemId | undefined
  /** Further secret names of keys that hold at this place. */
  readonly marks: ReadonlySet<string> | null
}

/** What identifies an item of a list. */
export interface ItemId {
  readonly key: string
  readonly value: string
}

/** A pointer as it stands in a line, without quotes. */
export interface Pointer {
  readonly json: string
  readonly isCut: boolean
}

/** Returns the JSON Pointer (RFC 6901) of a place. The keys in it are redacted: a client may choose them. */
export function pointerOf(place: Place, report: ChangeReport): Pointer {
  const steps: string[] = []
  let isCut = false
  for (let at = place; at.parent !== undefined; at = at.parent) {
    if (typeof at.step === 'string') {
      isCut ||= at.step.length > SEARCHED_KEY
      steps.push(escapeStep(report.redactor.value(readable(at.step), report, at.parent.marks)))
    } else steps.push(String(at.step))
  }
  const pointer = steps.length === 0 ? '' : `/${steps.reverse().join('/')}`
  if (pointer.length <= LONGEST_POINTER && isPlain(pointer)) return { json: pointer, isCut }
  const start = cut(pointer.slice(0, LONGEST_POINTER), LONGEST_POINTER)
  // Half of an escape is not a pointer.
  return { json: escapeText(start.replace(/~$/, '')), isCut: isCut || start.length < pointer.length }
}

/** Returns the part of a key that can be searched for secrets. */
function readable(key: string): string {
  return key.length > SEARCHED_KEY ? key.slice(0, endOfWords(key, SEARCHED_KEY)) || '[too long]' : key
}

function escapeStep(step: string): string {
  return /[~/]/.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}
