import { type ChangeReport, guarded } from '../../redact/change-report.js'
import { LONGEST_TEXT } from '../../redact/limits.js'
import { RedactedJson } from '../../redact/redacted-json.js'
import { ownValue } from '../../redact/safe-inspect.js'
import { fitShares, type Sized } from './fair-shares.js'
import { searchable } from './searchable.js'
import { LONGEST_SEARCHED } from './shown-text.js'

/** The most characters of a key in a path, and the most keys beyond the bound that are named. */
const LONGEST_NAME = 64
const MOST_SURPLUS = 16

/** Limits of the annotations of one request. */
export interface AnnotationBounds {
  readonly maxKeys: number
  readonly maxBytes: number
}

type Given = readonly [key: string, value: unknown]

/** One annotation, and what was changed in it. */
interface Part extends Sized {
  /** The member with its key; empty if it is left out. */
  readonly json: string
  /** Its size, with a comma before it. */
  readonly bytes: number
  readonly changes: ChangeReport
}

/**
 * The annotations of one record, as JSON that is bounded while it grows. Half of the room is reserved in
 * equal shares for all keys that there may be; keys that come first share the other half. So a long value, which a
 * client may have chosen, leaves every later key a place.
 */
export class Annotations {
  private readonly parts = new Map<string, Part>()
  /** Names of keys beyond the bound. */
  private readonly surplus = new Set<string>()
  private isUnreadable = false

  constructor(
    private readonly changes: ChangeReport,
    private readonly bounds: AnnotationBounds,
    private readonly path = 'annotations',
  ) {}

  /**
   * False if something was cut or left out. A caller without types may give anything, and a Proxy may throw; neither
   * costs the request anything.
   */
  add(values: Readonly<Record<string, unknown>>): boolean {
    try {
      if (typeof values === 'object') return this.addAll(values)
    } catch {
      // A Proxy, or null.
    }
    this.isUnreadable = true
    return false
  }

  /** Returns the object; call it once. Marks changes only now, because Received holds no annotations. */
  toJson(): string {
    const { changes, surplus, path } = this
    let members = ''
    for (const part of this.parts.values()) {
      if (part.json !== '') members += members === '' ? part.json : `,${part.json}`
      changes.add(part.changes)
    }
    if (surplus.size > 0) changes.markOmitted(`${path}.*`, `too many keys; ${[...surplus].join(', ')}`)
    if (this.isUnreadable) changes.markOmitted(path, 'not readable')
    return `{${members}}`
  }

  private addAll(values: Readonly<Record<string, unknown>>): boolean {
    const given = Object.keys(values).map((key) => [key, ownValue(values, key)] as const)
    const present = given.filter(([, value]) => value !== undefined)
    const added = this.admit(present)
    let isWhole = added.length === present.length
    const written = this.fit(added, this.roomFor(added))
    for (const [index, [key]] of added.entries()) {
      const part = written[index]
      if (part === undefined) continue
      this.parts.set(key, part)
      if (part.changes.truncated !== undefined || part.changes.omitted !== undefined) isWhole = false
    }
    return isWhole
  }

  /** Returns the values that still get a key, and notes the other keys. */
  private admit(given: readonly Given[]): Given[] {
    const { parts, surplus, bounds, changes } = this
    let room = bounds.maxKeys - parts.size
    return given.filter(([key]) => {
      if (parts.has(key) || room-- > 0) return true
      if (surplus.size < MOST_SURPLUS) surplus.add(nameOf(key, changes))
      return false
    })
  }

  /** Returns the bytes that are neither used by other keys nor reserved for later ones. */
  private roomFor(added: readonly Given[]): number {
    const { maxKeys, maxBytes } = this.bounds
    const others = new Map(this.parts)
    for (const [key] of added) others.delete(key)
    let room = maxBytes - 2
    for (const { bytes } of others.values()) room -= bytes
    return room - Math.floor((maxBytes - 2) / 2 / maxKeys) * (maxKeys - others.size - added.length)
  }

  /** Gives each value an equal share of the room; what small values leave goes to larger ones. */
  private fit(added: readonly Given[], room: number): Part[] {
    const parts = added.map((given) => this.write(given, room))
    fitShares(parts, added, room, (given, share) => this.write(given, share))
    return parts
  }

  private write([key, value]: Given, room: number): Part {
    const changes = this.changes.ofPart()
    const path = guarded(this.path, changes, () => `${this.path}.${nameOf(key, changes)}`)
    const json = path === '' ? '' : guarded(path, changes, () => writeMember(key, value, path, room, changes))
    const bytes = json === '' ? 0 : Buffer.byteLength(json) + 1
    return { json, bytes, whole: bytes, isCut: false, changes }
  }
}

function writeMember(key: string, value: unknown, path: string, room: number, changes: ChangeReport): string {
  const start = typeof value === 'string' ? searchable(value, LONGEST_TEXT) : value
  // The braces take two bytes, and the comma of the member one.
  const writer = new RedactedJson(room + 1, changes)
  // A key that is computed is a key, `__proto__` too.
  const json = writer.write({ [key]: start }).slice(1, -1)
  const bytes = writer.walked - 2 + (start === value ? 0 : bytesOf(value) - bytesOf(start))
  if (json === '') changes.markOmitted(path, `too long; ${bytes} bytes`)
  else if (writer.isCut || start !== value) changes.markTruncated(path, bytes, writer.kept - 2)
  if (writer.leftOut > 0) changes.markOmitted(`${path}.*`, `too long; ${writer.leftOut} texts`)
  return json
}

/** A key as a path names it. */
function nameOf(key: string, changes: ChangeReport): string {
  return changes.redactor.value(searchable(key, LONGEST_SEARCHED), changes).slice(0, LONGEST_NAME)
}

function bytesOf(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0
}
