import { types } from 'node:util'

// Values of the application are inspected without calling anything of theirs: no getter, no `toJSON`, no trap of a
// Proxy. Any of them could throw, change what the handler sees, or never return.

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
