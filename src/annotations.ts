import { types } from 'node:util'
import { BOUNDS, quoteWhole } from './bound.js'
import type { Changes } from './changes.js'
import { isSecretKey, REDACTED } from './redact.js'
import { toIsoTime } from './time.js'

const PATH = 'annotations'
const MAX_DEPTH = 8

/** One annotation as JSON. */
interface Part {
  json: string
  bytes: number
  redacted: number
}

/** What an application adds to the Complete of one exchange, as JSON that is bounded while it grows. */
export class Annotations {
  private readonly parts = new Map<string, Part>()
  private bytes = 2
  private dropped = 0

  constructor(private readonly changes: Changes) {}

  add(values: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) this.set(key, value)
    }
  }

  /** The object, once; what was changed in it is marked now, for Received has nothing of it. */
  toJson(): string {
    const { changes } = this
    if (this.dropped > 0) changes.markTruncated(PATH, this.bytes + this.dropped, this.bytes)
    const parts = [...this.parts.values()]
    for (const { redacted } of parts) changes.redacted += redacted
    return `{${parts.map(({ json }) => json).join(',')}}`
  }

  private set(key: string, value: unknown): void {
    const writer = new ValueWriter()
    const json = writer.member(key, value, 0)
    // With the comma before it.
    const part = { json, bytes: Buffer.byteLength(json) + 1, redacted: writer.redacted }
    const old = this.parts.get(key)
    const bytes = this.bytes + part.bytes - (old?.bytes ?? 0)
    const isFull = old === undefined && this.parts.size === BOUNDS.annotationKeys
    if (isFull || bytes > BOUNDS.annotations) this.dropped += part.bytes
    else {
      this.parts.set(key, part)
      this.bytes = bytes
    }
  }
}

/**
 * Plain objects, arrays, dates and primitives; any other value is its type's name. No method of a value is called. What is
 * too long to be kept is not written to its end: an object that holds itself many times over has none.
 */
class ValueWriter {
  redacted = 0
  private room: number = BOUNDS.annotations

  member(key: string, value: unknown, depth: number): string {
    if (isSecretKey(key)) {
      this.redacted++
      return this.take(`${quoteWhole(key)}:"${REDACTED}"`)
    }
    return this.take(`${quoteWhole(key)}:`) + this.write(value, depth)
  }

  private write(value: unknown, depth: number): string {
    if (this.room < 0) return ''
    if (typeof value !== 'object' || value === null) return this.take(writePrimitive(value))
    if (depth === MAX_DEPTH) return this.take('"[too deep]"')
    if (Array.isArray(value)) return `[${this.all(value, (item) => this.write(item, depth + 1))}]`
    if (types.isDate(value)) return this.take(writeDate(value))
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      return this.take(quoteWhole(`[${value.constructor?.name ?? 'object'}]`))
    }
    return `{${this.all(Object.entries(value), ([key, member]) => this.member(key, member, depth + 1))}}`
  }

  /** By index, so that a hole in an array is `undefined` and not nothing. */
  private all<Item>(items: readonly Item[], write: (item: Item) => string): string {
    let json = ''
    for (const [index, item] of items.entries()) {
      if (this.room < 0) break
      json += this.take(index === 0 ? '' : ',') + write(item)
    }
    return json
  }

  private take(json: string): string {
    this.room -= json.length
    return json
  }
}

/** By the class's own method: a date's may be anything. */
function writeDate(date: Date): string {
  const time = Date.prototype.getTime.call(date)
  return Number.isNaN(time) ? 'null' : `"${toIsoTime(time)}"`
}

function writePrimitive(value: unknown): string {
  if (typeof value === 'string') return quoteWhole(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value === 'bigint') return `"${value}"`
  return quoteWhole(`[${typeof value}]`)
}
