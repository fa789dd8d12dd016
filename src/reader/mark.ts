import { createHash } from 'node:crypto'
import { ENDING_BYTES, type LineSeal, sealOf } from '../event/seal-line.js'
import { parseJson } from '../json.js'
import { linesIn } from './lines.js'
import { isObject } from './members.js'
import { parseRecord } from './record.js'

/** A record's place in its trail: where files begin and end is told by the marks of their first and last records. */
export interface Mark {
  /** The server's run, and the number in it; the format `rancher` has neither. */
  readonly instance: string | undefined
  readonly seq: number
  /** When it was written, by a clock that may have been set back since; in milliseconds since the epoch. */
  readonly time: number
  readonly seal: LineSeal | undefined
  /** Tells copies of a line from others. */
  readonly digest: string
}

/** The mark of a line; `undefined` when it is not a record of either format. */
function markOf(line: Buffer): Mark | undefined {
  const text = line.toString()
  const record = parseRecord(text)
  if (record === undefined) return undefined
  const value = parseJson(text)
  const { instance, seq } = isObject(value) ? value : {}
  const isNumbered = typeof instance === 'string' && typeof seq === 'number'
  const time = 'exchange' in record ? (record.exchange.completed_at ?? record.exchange.timestamp) : record.time
  return {
    instance: isNumbered ? instance : undefined,
    seq: isNumbered ? seq : 0,
    time: Date.parse(time),
    seal: sealOf(line.toString('latin1', Math.max(0, line.length - ENDING_BYTES))),
    digest: createHash('sha256').update(line).digest('base64'),
  }
}

/** The mark of the first record in a part of whole lines. */
export function firstMarkIn(part: Buffer): Mark | undefined {
  for (const line of linesIn(part)) {
    const mark = markOf(line)
    if (mark !== undefined) return mark
  }
  return undefined
}

/** The mark of the last record in a part, of which the first line may be a part itself. */
export function lastMarkIn(part: Buffer): Mark | undefined {
  for (let end = part.length; end > 0; ) {
    const newline = part.lastIndexOf('\n', end - 1)
    const mark = markOf(part.subarray(newline + 1, end))
    if (mark !== undefined) return mark
    end = newline
  }
  return undefined
}
