import { isSecretKey } from './keys.js'

const MAX_TEXT = 80
const MAX_ITEMS = 4
const MAX_DEPTH = 2

/** A value as it may stand in an error: short, on one line, without what a key's name says is secret. */
export function describeValue(value: unknown, key = '', depth = 0): string {
  if (value !== undefined && value !== null && isSecretKey(key)) return '(hidden)'
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  if (typeof value === 'bigint') return shorten(`${value}n`)
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return describeList(value, key, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `an instance of ${className(value)}`
  return describeObject(value, depth)
}

function describeList(list: readonly unknown[], key: string, depth: number): string {
  if (list.length === 0) return '[]'
  if (depth >= MAX_DEPTH) return '[…]'
  const items = list.slice(0, MAX_ITEMS).map((item) => describeValue(item, key, depth + 1))
  if (list.length > MAX_ITEMS) items.push(`… ${list.length - MAX_ITEMS} more`)
  return `[${items.join(', ')}]`
}

function describeObject(object: object, depth: number): string {
  const entries = Object.entries(object)
  if (entries.length === 0) return '{}'
  if (depth >= MAX_DEPTH) return '{…}'
  const items = entries
    .slice(0, MAX_ITEMS)
    .map(
      ([key, value]) =>
        `${/^\w{1,64}$/.test(key) ? key : JSON.stringify(shorten(key))}: ${describeValue(value, key, depth + 1)}`,
    )
  if (entries.length > MAX_ITEMS) items.push(`… ${entries.length - MAX_ITEMS} more`)
  return `{ ${items.join(', ')} }`
}

function className(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? shorten(name) : 'a class'
}

/** As much of a text as an error shows. */
export function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
