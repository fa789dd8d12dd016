import { BOUNDS, type Changes, quoteWhole } from './bound.js'
import { isSecretKey, REDACTED } from './redact.js'

const PATH = 'annotations'
const MAX_DEPTH = 8

/** What an application adds to the Complete of one exchange, as JSON that is bounded while it grows. */
export class Annotations {
  private readonly parts = new Map<string, string>()
  private bytes = 2

  constructor(private readonly changes: Changes) {}

  add(values: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) this.set(key, value)
    }
  }

  toJson(): string {
    return `{${[...this.parts.values()].join(',')}}`
  }

  private set(key: string, value: unknown): void {
    const secret = isSecretKey(key)
    const part = `${quoteWhole(key)}:${secret ? `"${REDACTED}"` : toJson(value, 0)}`
    const size = Buffer.byteLength(part) + 1
    const old = this.parts.get(key)
    const bytes = this.bytes + size - (old === undefined ? 0 : Buffer.byteLength(old) + 1)
    const isFull = old === undefined && this.parts.size === BOUNDS.annotationKeys
    if (isFull || bytes > BOUNDS.annotations) {
      this.changes.markTruncated(PATH, bytes, this.bytes)
      return
    }
    if (secret) this.changes.redacted++
    this.parts.set(key, part)
    this.bytes = bytes
  }
}

/** Plain objects, arrays and primitives; any other value is its type's name. No method of a value is called. */
function toJson(value: unknown, depth: number): string {
  if (typeof value === 'string') return quoteWhole(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value !== 'object') return quoteWhole(`[${typeof value}]`)
  if (depth === MAX_DEPTH) return '"[too deep]"'
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item, depth + 1)).join(',')}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return quoteWhole(`[${value.constructor?.name ?? 'object'}]`)
  const pairs = Object.entries(value).map(([key, member]) =>
    isSecretKey(key) ? `${quoteWhole(key)}:"${REDACTED}"` : `${quoteWhole(key)}:${toJson(member, depth + 1)}`,
  )
  return `{${pairs.join(',')}}`
}
