import { quoteStart, quoteWhole } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import type { Secrecy } from '../../redact/keys.js'
import { LONGEST_TEXT } from '../../redact/limits.js'
import { RedactedJson } from '../../redact/redacted-json.js'
import { REDACTED } from '../../redact/redactor.js'
import type { Difference } from './comparison.js'
import { fitShares, type Sized } from './fair-shares.js'
import { type ItemId, pointerOf } from './place.js'
import { searchable } from './searchable.js'

const LONGEST_ID = 128

/**
 * A text is searched for secrets up to this many times the room that it has, and always up to this many characters. There
 * may be many texts, and all of them together must not take longer than a body.
 */
const READ_FOR_KEPT = 4
const ALWAYS_READ = 2048

const TOO_LONG = '"[too long]"'
const MASK = quoteWhole(REDACTED)

/** A change, or a part of one, as JSON. */
export interface Written extends Sized {
  /** Empty if there is no room. */
  readonly json: string
  /** The number of texts that were too long to be searched for secrets. */
  readonly longTexts: number
  readonly redacted: number
}

/** One of the values of a change. */
interface Side {
  readonly key: string
  readonly value: unknown
  readonly secrecy: Secrecy
  /** The bytes of a text that may have to be cut before it is searched. */
  readonly bytes: number
}

/** Writes one change, in as many bytes as there are. */
export class ChangeWriter {
  private readonly head: string
  /** The bytes without the values, with a comma before the change. */
  private readonly frame: number
  private readonly dropped: number
  private readonly headRedacted: number
  private readonly sides: readonly Side[]
  private readonly marks: ReadonlySet<string> | null

  constructor(
    { place, before, after, secrecyBefore, secrecyAfter }: Difference,
    private readonly report: ChangeReport,
  ) {
    const ofHead = report.ofPart()
    const { json, dropped } = pointerOf(place, ofHead)
    const id = place.item === undefined ? '' : `,"id":${writeId(place.item, place.marks, ofHead)}`
    this.head = `{"path":"${json}"${id}`
    this.frame = Buffer.byteLength(this.head) + ',}'.length
    this.dropped = dropped
    this.headRedacted = ofHead.redacted
    this.marks = place.marks
    this.sides = [sideOf(',"before":', before, secrecyBefore), sideOf(',"after":', after, secrecyAfter)].filter(
      ({ value }) => value !== undefined,
    )
  }

  /** Writes the change in at most `room` bytes. Both values have the same share. */
  write(room: number): Written {
    const { head, frame, sides } = this
    const roomForValues = room - frame
    const values = sides.map((side) => this.side(side, Math.floor(roomForValues / sides.length)))
    const left = fitShares(values, sides, roomForValues, (side, share) => this.side(side, share))
    const sum = (read: (value: Written) => number): number => values.reduce((total, value) => total + read(value), 0)
    const whole = frame + this.dropped + sum((value) => value.whole)
    if (left < 0) return { json: '', bytes: 0, whole, isCut: true, longTexts: 0, redacted: 0 }
    return {
      json: `${head}${values.map(({ json }) => json).join('')}}`,
      bytes: frame + sum(({ bytes }) => bytes),
      whole,
      isCut: values.some(({ isCut }) => isCut),
      longTexts: sum(({ longTexts }) => longTexts),
      redacted: this.headRedacted + sum(({ redacted }) => redacted),
    }
  }

  private side(side: Side, room: number): Written {
    const { key, value, secrecy } = side
    const roomForValue = Math.max(0, room - key.length)
    const written = secrecy > 0 ? this.secret(value, secrecy, roomForValue) : this.value(side, roomForValue)
    const { json, bytes, whole } = written
    return { ...written, json: key + json, bytes: key.length + bytes, whole: key.length + whole }
  }

  private value({ value, bytes }: Side, room: number): Written {
    const longest = Math.min(room * READ_FOR_KEPT + ALWAYS_READ, LONGEST_TEXT)
    let start = value
    if (typeof value === 'string' && value.length > longest) {
      // Of JSON only the whole is searched for all secrets.
      if (/^\s*[[{]/.test(value.slice(0, longest))) return tooLong(bytes, 1)
      start = searchable(value, longest)
    }
    const report = this.report.ofPart()
    const writer = new RedactedJson(room, report, this.marks, longest)
    const json = writer.write(start)
    const whole = writer.walked + (typeof start === 'string' && start !== value ? bytes - Buffer.byteLength(start) : 0)
    const longTexts = writer.leftOut
    if (json === '') return tooLong(whole, longTexts)
    const isCut = writer.isCut || longTexts > 0 || start !== value
    return { json, bytes: writer.kept, whole, isCut, longTexts, redacted: report.redacted }
  }

  private secret(value: unknown, secrecy: Secrecy, room: number): Written {
    const replacement = quoteWhole(this.report.redactor.replacement(value, secrecy))
    const whole = Buffer.byteLength(replacement)
    const json = whole <= room ? replacement : MASK
    return { json, bytes: Buffer.byteLength(json), whole, isCut: json !== replacement, longTexts: 0, redacted: 1 }
  }
}

function tooLong(whole: number, longTexts: number): Written {
  return { json: TOO_LONG, bytes: TOO_LONG.length, whole, isCut: true, longTexts, redacted: 0 }
}

function writeId({ key, value }: ItemId, marks: ReadonlySet<string> | null, report: ChangeReport): string {
  const { redactor } = report
  const secrecy = redactor.secrecyOfValue(key, value, marks)
  if (secrecy === 0) return quoteStart(redactor.value(value, report, marks), LONGEST_ID)
  report.redacted++
  return quoteWhole(redactor.replacement(value, secrecy))
}

function sideOf(key: string, value: unknown, secrecy: Secrecy): Side {
  const bytes = typeof value === 'string' && value.length > ALWAYS_READ ? Buffer.byteLength(value) : 0
  return { key, value, secrecy, bytes }
}
