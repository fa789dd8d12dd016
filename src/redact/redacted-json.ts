import { types } from 'node:util'
import { flatten, isPlain, quoteStart, quoteWhole } from '../json.js'
import { Members, nameForNext } from './beside.js'
import type { ChangeReport } from './change-report.js'
import type { Secrecy } from './keys.js'
import { LONGEST_TEXT, MAX_DEPTH, SEARCHED_KEY } from './limits.js'
import { endOfWords, REDACTED } from './redactor.js'
import { isPlainObject, labelOf, ownValue, textOfDate } from './safe-inspect.js'

const LONGEST_KEY = 256

/** A shorter start of a text is not worth writing. */
const SHORTEST_START = 16

/**
 * Writes one value as JSON: redacted first, then cut to a number of bytes. Plain objects, arrays, dates and primitives
 * are written; any other value becomes the name of its type, and none of its methods is called. From the first member
 * that does not fit on, everything is dropped, so that the rest is valid JSON of the same kind. For the same reason an
 * object that contains itself comes to an end.
 */
export class RedactedJson {
  private json = ''
  private room: number
  private dropped = 0
  private longTexts = 0
  private isParsed = false
  /** The rules for the members of the current object; `undefined` until they are needed. */
  private members: Members | undefined

  /** `marks` are further secret names of keys, in their normal form. `longestText`: the characters of one text. */
  constructor(
    private readonly limit: number,
    private readonly changes: ChangeReport,
    private marks: ReadonlySet<string> | null = null,
    private readonly longestText = LONGEST_TEXT,
  ) {
    this.room = limit
  }

  /**
   * Returns the JSON, '' if there is no room. `isParsed`: the value comes from `JSON.parse`, so it has no getters or
   * proxies.
   */
  write(value: unknown, isParsed = false): string {
    this.isParsed = isParsed
    this.value(value, 0)
    return flatten(this.json)
  }

  /** True if something did not fit. */
  get isCut(): boolean {
    return this.dropped > 0
  }

  /** The bytes that were written. */
  get kept(): number {
    return this.limit - this.room
  }

  /** The bytes that were written or dropped. */
  get walked(): number {
    return this.kept + this.dropped
  }

  /** The number of texts that were too long to be searched for secrets. */
  get leftOut(): number {
    return this.longTexts
  }

  /** Returns true if at least a part of the value was written. */
  private value(value: unknown, depth: number): boolean {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'number' || typeof value === 'bigint') return this.number(value)
    if (typeof value !== 'object' || value === null) return this.takeAscii(writePrimitive(value))
    if (!this.isParsed && types.isProxy(value)) return this.takeAscii(quoteWhole(labelOf(value)))
    if (Array.isArray(value)) return depth < MAX_DEPTH ? this.array(value, depth) : this.takeAscii('"[too deep]"')
    if (isPlainObject(value)) return depth < MAX_DEPTH ? this.object(value, depth) : this.takeAscii('"[too deep]"')
    if (types.isDate(value)) return this.takeAscii(writeDate(value))
    return this.text(labelOf(value))
  }

  private array(items: readonly unknown[], depth: number): boolean {
    const { changes, isParsed } = this
    if (!this.open('[')) return false
    let name: string | undefined
    // By index, so that a hole is written as `undefined`.
    for (let index = 0; index < items.length && !this.isCut; index++) {
      const { redacted } = changes
      const item = isParsed ? items[index] : ownValue(items, index)
      const comma = index === 0 ? '' : ','
      const secrecy = name === undefined ? 0 : changes.redactor.secrecyOfValue(name, item, this.marks)
      if (!this.memberOrSecret(comma, comma.length, item, secrecy, depth)) changes.redacted = redacted
      // A value is not the name of the next one.
      name = secrecy === 0 && typeof item === 'string' ? this.nameIn(item, index, items.length) : undefined
    }
    this.json += ']'
    return true
  }

  private object(object: Readonly<Record<string, unknown>>, depth: number): boolean {
    const { changes, isParsed, members } = this
    if (!this.open('{')) return false
    this.members = undefined
    let comma = ''
    for (const key of Object.keys(object)) {
      const { redacted } = changes
      const value = isParsed ? object[key] : ownValue(object, key)
      if (!this.property(object, comma, key, value, depth)) changes.redacted = redacted
      if (this.isCut) break
      comma = ','
    }
    this.members = members
    this.json += '}'
    return true
  }

  private property(object: object, comma: string, key: string, value: unknown, depth: number): boolean {
    if (key.length > SEARCHED_KEY) return this.longProperty(comma, key)
    const { changes, marks } = this
    const { redactor } = changes
    const plain = redactor.plainKey(key, changes, marks)
    if (plain !== null) return this.member(comma + plain, comma.length + plain.length, value, depth)
    this.members ??= new Members(object, redactor, marks)
    const secrecy = this.members.secrecyOf(key, value)
    const literal = redactor.keyLiteral(key, changes)
    // The client chooses keys, too.
    const before = comma + (literal ?? `${quoteStart(redactor.value(key, changes, marks), LONGEST_KEY)}:`)
    const bytes = literal === null ? Buffer.byteLength(before) : before.length
    if (secrecy > 0) return this.memberOrSecret(before, bytes, value, secrecy, depth)
    this.marks = this.members.marksWithin(key)
    const isWritten = this.member(before, bytes, value, depth)
    this.marks = marks
    return isWritten
  }

  /** Writes the start of a key that is too long to be read, and nothing of its value. */
  private longProperty(comma: string, key: string): boolean {
    const { changes, marks } = this
    this.longTexts++
    const start = key.slice(0, endOfWords(key, SEARCHED_KEY)) || '[too long]'
    const clean = quoteStart(changes.redactor.value(start, changes, marks), LONGEST_KEY)
    changes.redacted++
    const property = `${comma}${clean}:"${REDACTED}"`
    return this.take(property, Buffer.byteLength(property))
  }

  /** Returns the name that an item gives to the next one, if that one is secret. */
  private nameIn(item: string, index: number, length: number): string | undefined {
    return nameForNext(item, index, length, this.changes.redactor, this.marks)
  }

  private memberOrSecret(before: string, bytes: number, value: unknown, secrecy: Secrecy, depth: number): boolean {
    if (secrecy === 0) return this.member(before, bytes, value, depth)
    const { changes } = this
    changes.redacted++
    const replacement = quoteWhole(changes.redactor.replacement(value, secrecy))
    return this.take(before + replacement, bytes + Buffer.byteLength(replacement))
  }

  /** Writes a value after its comma and key, or nothing. */
  private member(before: string, bytes: number, value: unknown, depth: number): boolean {
    const { room, json } = this
    if (this.take(before, bytes) && this.value(value, depth + 1)) return true
    this.json = json
    this.dropped += room - this.room
    this.room = room
    return false
  }

  private text(text: string): boolean {
    if (text.length > this.longestText) {
      this.longTexts++
      return this.takeAscii('"[too long]"')
    }
    const clean = this.changes.redactor.value(text, this.changes, this.marks)
    if (clean.length + 2 <= this.room && isPlain(clean)) return this.push(`"${clean}"`, clean.length + 2)
    const literal = quoteWhole(clean)
    const bytes = Buffer.byteLength(literal)
    if (this.take(literal, bytes)) return true
    if (this.room < SHORTEST_START) return false
    const start = quoteStart(clean, this.room - 2)
    const kept = Buffer.byteLength(start)
    this.dropped -= kept
    return this.push(start, kept)
  }

  private number(value: number | bigint): boolean {
    const { changes } = this
    if (!changes.redactor.isCard(value)) return this.takeAscii(writePrimitive(value))
    changes.redacted++
    return this.takeAscii(quoteWhole(changes.redactor.replacement(Number(value), 1)))
  }

  private takeAscii(json: string): boolean {
    return this.take(json, json.length)
  }

  /** Writes all of a text or nothing. After nothing, the rest is dropped as well. */
  private take(json: string, bytes: number): boolean {
    if (bytes <= this.room) return this.push(json, bytes)
    this.dropped += bytes
    return false
  }

  /** Writes a bracket and reserves room for the closing one. */
  private open(bracket: string): boolean {
    if (this.room < 2) {
      this.dropped += 2
      return false
    }
    return this.push(bracket, 2)
  }

  private push(json: string, bytes: number): true {
    this.room -= bytes
    this.json += json
    return true
  }
}

function writeDate(date: Date): string {
  const text = textOfDate(date)
  return text === null ? 'null' : `"${text}"`
}

function writePrimitive(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  return `"${typeof value === 'bigint' ? value : labelOf(value)}"`
}
