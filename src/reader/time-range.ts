const PREFIX = Buffer.from('{"created_at":"')
const TIMESTAMP = Buffer.from('"timestamp":"')
/** `2026-03-24T17:09:35.704Z"`: such texts are in the order of their times. */
const LENGTH = 24
const NEWLINE = 0x0a
const QUOTE = 0x22
const ZULU = 0x5a

/** Finds parts of a trail that hold no request received within a range of times, without parsing them. */
export class TimeRange {
  private readonly from: Buffer | undefined
  private readonly to: Buffer | undefined

  /** `since` and `until` are milliseconds since the epoch, and may be infinite. */
  constructor(since: number, until: number) {
    this.from = textOf(since)
    this.to = textOf(until)
  }

  /** False only if every line of a part is a record whose request was received outside the range. */
  mayHold(part: Buffer): boolean {
    if (this.from === undefined && this.to === undefined) return true
    for (let start = 0; start < part.length; ) {
      if (!startsAt(part, PREFIX, start)) return true
      const at = part.indexOf(TIMESTAMP, start)
      if (at === -1) return true
      const time = at + TIMESTAMP.length
      const end = part.indexOf(NEWLINE, start)
      if (end === -1 || end < time + LENGTH || this.isWithin(part, time)) return true
      start = end + 1
    }
    return false
  }

  private isWithin(part: Buffer, at: number): boolean {
    const end = at + LENGTH
    // A time written differently cannot be compared.
    if (part[end] !== QUOTE || part[end - 1] !== ZULU) return true
    const isBefore = this.from !== undefined && part.compare(this.from, 0, LENGTH, at, end) < 0
    const isAfter = this.to !== undefined && part.compare(this.to, 0, LENGTH, at, end) >= 0
    return !isBefore && !isAfter
  }
}

function startsAt(part: Buffer, text: Buffer, start: number): boolean {
  const end = start + text.length
  return end <= part.length && part.compare(text, 0, text.length, start, end) === 0
}

/** A time as the plugin writes it; `undefined` when it has no four digits for its year. */
function textOf(time: number): Buffer | undefined {
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) return undefined
  const text = new Date(time).toISOString()
  return text.length === LENGTH ? Buffer.from(text) : undefined
}
