import { types } from 'node:util'
import { isPlainObject, ownValue } from '../../redact/safe-inspect.js'

/** The most characters of an id. */
const LONGEST_ID = 1024

/** The indexes of a list's items, by id. */
export type Items = ReadonlyMap<string, number>

/** Returns a list's items by the id that each has under `key`; null if one has none, or two have the same. */
export function itemsById(list: readonly unknown[], key: string): Items | null {
  const items = new Map<string, number>()
  for (let index = 0; index < list.length; index++) {
    const id = idOf(ownValue(list, index), key)
    if (id === undefined || items.has(id)) return null
    items.set(id, index)
  }
  return items
}

/** Returns the id of an item as text: an id from a database and the same one from JSON may differ in type. */
function idOf(item: unknown, key: string): string | undefined {
  if (typeof item !== 'object' || item === null || types.isProxy(item) || Array.isArray(item)) return undefined
  if (!isPlainObject(item)) return undefined
  const id = ownValue(item, key)
  if (typeof id === 'string') return id.length > LONGEST_ID ? undefined : id
  return typeof id === 'number' || typeof id === 'bigint' || typeof id === 'boolean' ? String(id) : undefined
}
