import { types } from 'node:util'
import { toIsoTime } from '../clock.js'

// Values of the application are inspected without calling anything of theirs: no getter, no `toJSON`, no trap of a
// Proxy. Any of them could throw, change what the handler sees, or never return.

const LONGEST_CLASS_NAME = 64

/** Stands for the value of a property that has a getter. */
export const ACCESSOR = Symbol('accessor')

/** Returns the value of an own property. */
export function ownValue(object: object, key: string | number): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  return descriptor === undefined || 'value' in descriptor ? descriptor?.value : ACCESSOR
}

/** Tells whether an object, which is not a Proxy, is a plain one: `{}` of any realm, or without a prototype. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  // Parsers of queries give their objects an empty prototype, for speed.
  return isObject(prototype) && !types.isProxy(prototype) && Object.getPrototypeOf(prototype) === null
}

/** Returns the name of an object's class, 'object' if it is unknown. */
export function classNameOf(value: object): string {
  if (types.isProxy(value)) return 'Proxy'
  const maker = inheritedValue(value, 'constructor')
  if (typeof maker !== 'function' || types.isProxy(maker)) return 'object'
  const name = ownValue(maker, 'name')
  return typeof name === 'string' && name !== '' ? name : 'object'
}

/** Returns what is written in place of a value that is not JSON: the name of its type. */
export function labelOf(value: unknown): string {
  if (value === ACCESSOR) return '[getter]'
  if (typeof value !== 'object' || value === null) return `[${typeof value}]`
  return `[${classNameOf(value).slice(0, LONGEST_CLASS_NAME)}]`
}

/** Returns a date as RFC 3339, null if it is invalid. */
export function textOfDate(date: Date): string | null {
  // The class's own method: a date may have replaced it.
  const time = Date.prototype.getTime.call(date)
  return Number.isNaN(time) ? null : toIsoTime(time)
}

/** Tells whether an object is a stream of any kind, or something else that is read piece by piece. */
export function isStream(value: object): boolean {
  return ['pipe', 'getReader', 'arrayBuffer'].some((name) => typeof inheritedValue(value, name) === 'function')
}

function inheritedValue(value: object, key: string): unknown {
  for (let owner: unknown = value; isObject(owner) && !types.isProxy(owner); owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, key)) return ownValue(owner, key)
  }
  return undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
