import { types } from 'node:util'
import { lookBeside } from './beside.js'
import { ChangeReport } from './change-report.js'
import { Redactor } from './redactor.js'
import { classNameOf, isPlainObject } from './safe-inspect.js'
import { IS_VALUE, mayName } from './shapes.js'

const MAX_TEXT = 80
const MAX_ITEMS = 4
const MAX_DEPTH = 2

/** The start of a text that is searched for secrets: an error shows less. */
const SEARCHED = 4096

/** Options that hold secrets, also if misspelt. Their values are not shown. */
const SECRET_OPTION = /^_*(?:seal|redact)/i
/** The options within those whose values are shown, if they are shorter than a secret may be. */
const PUBLIC_OPTIONS = ['mode', 'keys', 'omit', 'keyId', 'checkpointEvery', 'checkpointInterval', 'onCheckpoint']
const SHORTER_THAN_SECRETS = 24

/** A text that only a machine makes: long, without spaces, of digits and letters in both cases, or hexadecimal. */
const RANDOM = /^(?:[\da-f-]{32,}|[\dA-F-]{32,}|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w+/=-]{32,})$/

/**
 * Describes a value for an error: short, on one line, and without secrets. Of a value that is secret by its place in
 * the options or by its key, the type alone is said.
 */
export function describeValue(value: unknown, path: readonly PropertyKey[] = []): string {
  const description = new Description()
  const names = path.filter((part) => typeof part === 'string')
  const isSecret = isUserSink(names) || names.some((name) => SECRET_OPTION.test(name))
  if (isSecret && !isPublic(value, names)) return description.outline(value)
  return description.of(value, names.at(-1) ?? '', 0)
}

/** Redacts a text of an error, which may quote a secret. */
export function describeText(text: string): string {
  return new Description().clean(text)
}

/** Cuts a text to what an error shows. */
export function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

/** A sink of the user's own may hold credentials. */
function isUserSink([first, second]: readonly string[]): boolean {
  return first === 'sinks' && second === 'sink'
}

function isPublic(value: unknown, names: readonly string[]): boolean {
  const isShort = typeof value !== 'string' || value.length <= SHORTER_THAN_SECRETS
  return isShort && names.some((name) => PUBLIC_OPTIONS.includes(name))
}

class Description {
  private readonly redactor = new Redactor()

  of(value: unknown, key: string, depth: number): string {
    if (this.redactor.secrecyOfValue(key, value) > 0) return hidden(value)
    if (typeof value === 'string') return JSON.stringify(shorten(this.clean(value)))
    if (typeof value === 'number' || typeof value === 'bigint') return this.number(value)
    if (Array.isArray(value)) return this.list(value, key, depth)
    return isPlain(value) ? this.object(value, depth) : nameOf(value)
  }

  /** Describes the type of a value, and the types of an object's members. */
  outline(value: unknown): string {
    if (!isPlain(value) || Object.keys(value).length === 0) return hidden(value)
    return members(Object.entries(value), ([key, member]) => `${this.key(key)}: ${hidden(member)}`)
  }

  clean(text: string): string {
    const start = text.slice(0, SEARCHED)
    return RANDOM.test(start) ? '(hidden)' : this.redactor.value(start, new ChangeReport(this.redactor))
  }

  private number(value: number | bigint): string {
    if (this.redactor.isCard(value)) return hidden(value)
    return typeof value === 'bigint' ? shorten(`${value}n`) : String(value)
  }

  private key(key: string): string {
    return /^\w{1,64}$/.test(key) && !RANDOM.test(key) ? key : JSON.stringify(shorten(this.clean(key)))
  }

  private list(list: readonly unknown[], key: string, depth: number): string {
    if (list.length === 0) return '[]'
    if (depth >= MAX_DEPTH) return '[…]'
    const items = list.slice(0, MAX_ITEMS).map((item, index) => {
      const before = list[index - 1]
      const isName = typeof before === 'string' && mayName(before, index - 1, list.length)
      const name = isName ? this.redactor.secretName(before) : undefined
      return this.of(item, name ?? key, depth + 1)
    })
    if (list.length > MAX_ITEMS) items.push(`… ${list.length - MAX_ITEMS} more`)
    return `[${items.join(', ')}]`
  }

  private object(object: object, depth: number): string {
    const entries = Object.entries(object)
    if (entries.length === 0) return '{}'
    if (depth >= MAX_DEPTH) return '{…}'
    const { name } = lookBeside(object, this.redactor, null)
    return members(entries, ([key, value]) => {
      const isNamed = name !== undefined && (this.redactor.shapeOf(key) & IS_VALUE) !== 0
      return `${this.key(key)}: ${this.of(value, isNamed ? name : key, depth + 1)}`
    })
  }
}

function members(entries: ReadonlyArray<[string, unknown]>, write: (entry: [string, unknown]) => string): string {
  const items = entries.slice(0, MAX_ITEMS).map(write)
  if (entries.length > MAX_ITEMS) items.push(`… ${entries.length - MAX_ITEMS} more`)
  return `{ ${items.join(', ')} }`
}

/** Describes a secret by its type. Empty values are not secret. */
function hidden(value: unknown): string {
  if (value === '') return '""'
  if (typeof value === 'string') return '(hidden string)'
  if (typeof value === 'number' || typeof value === 'bigint') return '(hidden number)'
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '(hidden list)'
  if (!isPlain(value)) return nameOf(value)
  return Object.keys(value).length === 0 ? '{}' : '(hidden object)'
}

/** Describes a value that is not a text, number, list or plain object. */
function nameOf(value: unknown): string {
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? `an instance of ${shorten(classNameOf(value))}` : String(value)
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !types.isProxy(value) &&
    isPlainObject(value)
  )
}
