import { cut, escapeText, isPlain } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import { searchable } from './searchable.js'

/** The most bytes of a pointer in a line, and the characters of one key in it that are searched for secrets. */
const LONGEST_POINTER = 512
const SEARCHED_STEP = 1024

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
  /** The bytes that are cut off. */
  readonly dropped: number
}

/** Returns the JSON Pointer (RFC 6901) of a place. The keys in it are redacted: a client may choose them. */
export function pointerOf(place: Place, report: ChangeReport): Pointer {
  let pointer = ''
  let dropped = 0
  for (const { step, parent } of fromRoot(place)) {
    const text = String(step)
    if (pointer.length > LONGEST_POINTER) dropped += 1 + text.length
    else if (typeof step === 'number') pointer += `/${text}`
    else {
      const start = searchable(text, SEARCHED_STEP)
      pointer += `/${escapeStep(report.redactor.value(start, report, parent?.marks ?? null))}`
      dropped += text.length - start.length
    }
  }
  if (pointer.length <= LONGEST_POINTER && isPlain(pointer)) return { json: pointer, dropped }
  // Do not cut within an escape.
  const json = escapeText(cut(pointer.slice(0, LONGEST_POINTER), LONGEST_POINTER).replace(/~$/, ''))
  return { json, dropped: dropped + Buffer.byteLength(escapeText(pointer)) - Buffer.byteLength(json) }
}

function fromRoot(place: Place): Place[] {
  const places: Place[] = []
  for (let at = place; at.parent !== undefined; at = at.parent) places.push(at)
  return places.reverse()
}

function escapeStep(step: string): string {
  return /[~/]/.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}
