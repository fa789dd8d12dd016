import type { Identity } from './actor.js'
import { flat } from './flat.js'

/** The most identities, and the most characters of one's JSON: 1 MB in all. */
const MOST = 1000
const LONGEST = 1000

/**
 * Caches the JSON of recent callers: few callers make most requests, and each request needs it twice. Keeps copies of
 * the fields, because an application may change an object and hand it in again.
 */
export class KnownIdentities {
  private readonly known = new Map<unknown, { readonly identity: Identity; readonly json: string }>()

  find(identity: Identity): string | undefined {
    const found = this.known.get(identity.accessorId)
    return found !== undefined && isSame(found.identity, identity) ? found.json : undefined
  }

  /** Adds an identity if its values are primitives alone. */
  add(identity: Identity, json: string): void {
    const { accessorId, name, policies, groups, global, createTime, method, onBehalfOf } = identity
    const values = [accessorId, name, global, createTime, method, onBehalfOf].concat(policies ?? [], groups ?? [])
    if (json.length > LONGEST || values.some((value) => typeof value === 'object' || typeof value === 'function'))
      return
    if (this.known.size >= MOST) this.known.clear()
    const copy = {
      accessorId,
      name,
      policies: policies?.slice(),
      groups: groups?.slice(),
      global,
      createTime,
      method,
      onBehalfOf,
    }
    this.known.set(accessorId, { identity: copy, json: flat(json) })
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return (
    one.name === other.name &&
    one.global === other.global &&
    one.createTime === other.createTime &&
    one.method === other.method &&
    one.onBehalfOf === other.onBehalfOf &&
    isSameList(one.policies, other.policies) &&
    isSameList(one.groups, other.groups)
  )
}

function isSameList(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((value, index) => value === other[index])
}
