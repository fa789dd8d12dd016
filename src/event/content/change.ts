import { quoteStart, quoteWhole } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import type { Secrecy } from '../../redact/keys.js'
import { RedactedJson } from '../../redact/redacted-json.js'
import { REDACTED } from '../../redact/redactor.js'
import type { Difference } from './comparison.js'
import { fitShares } from './fair-shares.js'
import { type ItemId, pointerOf } from './place.js'
import { bytesOf, searchable } from './searchable.js'

/** The characters of one text that are searched for secrets: there may be many texts, and little is kept of each. */
const LONGEST_TEXT = 32_768
const LONGEST_ID = 128

const TOO_LONG = '"[too long]"'
const MASK = quoteWhole(REDACTED)

/** A change, or a part of one, as JSON. */
export interface Written {
  /** Empty if there is no room. */
  readonly json: string
  /** The bytes that it takes, with a comma before it. */
  readonly bytes: number
  /** The bytes that it takes if nothing is cut. */
  readonly whole: number
  readonly isCut: boolean
  /** The number of texts that were too long to be searched for secrets. */
  readonly longTexts: number
  readonly redacted: number
}

/** One of the values of a change. */
interface Side {
  readonly name: 'before' | 'after'
  readonly value: unknown
  readonly secrecy: Secrecy
}

/** Writes a change in at most `room` bytes, of which both values get the same share. */
export function writeChange(difference: Difference, room: number, parent: ChangeReport): Written {
  const { place, before, after, secrecyBefore, secrecyAfter } = difference
  const report = parent.ofPart()
  const pointer = pointerOf(place, report)
  const id = place.item === undefined ? '' : `,"id":${writeId(place.item, place.marks, report)}`
  const head = `{"path":"${pointer.json}"${id}`
  const sides: Side[] = []
  if (before !== undefined) sides.push({ name: 'before', value: before, secrecy: secrecyBefore })
  if (after !== undefined) sides.push({ name: 'after', value: after, secrecy: secrecyAfter })
  const frame = Buffer.byteLength(head) + ',}'.length
  const write = (side: Side, share: number): Written => writeSide(side, share, place.marks, parent)
  const values = sides.map((side) => write(side, room - frame))
  const left = fitShares(values, sides, room - frame, write)
  const whole = values.reduce((sum, value) => sum + value.whole, frame)
  if (left < 0) return { json: '', bytes: 0, whole, isCut: true, longTexts: 0, redacted: 0 }
  return {
    json: `${head}${values.map((value) => value.json).join('')}}`,
    bytes: values.reduce((sum, value) => sum + value.bytes, frame),
    whole,
    isCut: pointer.isCut || values.some((value) => value.isCut),
    longTexts: values.reduce((sum, value) => sum + value.longTexts, 0),
    redacted: values.reduce((sum, value) => sum + value.redacted, report.redacted),
  }
}

function writeSide(
  { name, value, secrecy }: Side,
  room: number,
  marks: ReadonlySet<string> | null,
  parent: ChangeReport,
): Written {
  const key = `,"${name}":`
  const roomForValue = Math.max(0, room - key.length)
  const written =
    secrecy > 0 ? writeSecret(value, secrecy, roomForValue, parent) : writeValue(value, roomForValue, marks, parent)
  const { json, bytes, whole } = written
  return { ...written, json: key + json, bytes: key.length + bytes, whole: key.length + whole }
}

function writeValue(value: unknown, room: number, marks: ReadonlySet<string> | null, parent: ChangeReport): Written {
  const report = parent.ofPart()
  const start = searchable(value, LONGEST_TEXT)
  const writer = new RedactedJson(room, report, marks, LONGEST_TEXT)
  const json = writer.write(start)
  const whole = writer.walked + bytesOf(value) - bytesOf(start)
  const longTexts = writer.leftOut
  if (json === '') return { json: TOO_LONG, bytes: TOO_LONG.length, whole, isCut: true, longTexts, redacted: 0 }
  const isCut = writer.isCut || start !== value
  return { json, bytes: writer.kept, whole, isCut, longTexts, redacted: report.redacted }
}

function writeSecret(value: unknown, secrecy: Secrecy, room: number, { redactor }: ChangeReport): Written {
  const replacement = quoteWhole(redactor.replacement(value, secrecy))
  const whole = Buffer.byteLength(replacement)
  const json = whole <= room ? replacement : MASK
  const isCut = json !== replacement
  return { json, bytes: Buffer.byteLength(json), whole, isCut, longTexts: 0, redacted: 1 }
}

function writeId({ key, value }: ItemId, marks: ReadonlySet<string> | null, report: ChangeReport): string {
  const { redactor } = report
  const secrecy = redactor.secrecyOfValue(key, value, marks)
  if (secrecy === 0) return quoteStart(redactor.value(value, report, marks), LONGEST_ID)
  report.redacted++
  return quoteWhole(redactor.replacement(value, secrecy))
}
