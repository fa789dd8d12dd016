import { types } from 'node:util'
import { isPlainObject, ownValue } from './safe-inspect.js'

/** Returns the schema with an id, if it is known: `app.getSchema`. */
export type ResolveSchema = (id: string) => unknown

/** Keywords with schemas for the same value or for its elements. */
const HELD = ['items', 'prefixItems', 'additionalItems', 'unevaluatedItems', 'contains', 'additionalProperties']
HELD.push('unevaluatedProperties', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'contentSchema')
const HELD_BY_NAME = ['patternProperties', 'dependentSchemas', 'dependencies']
const DEFINITIONS = ['definitions', '$defs']
const REFERENCES = ['$ref', '$recursiveRef', '$dynamicRef']

/** One schema within a route's. */
export interface Place {
  schema: object
  /** The document that `#` in a reference means. */
  root: object
  /** The nearest property that it describes; '' for the whole body, null if only a reference would tell. */
  name: string | null
  path: string
}

/**
 * Returns every schema within one part of a route's schema. Schemas that are not plain objects, such as zod's, have
 * none.
 */
export function placesIn(routeSchema: unknown, part: string, resolve: ResolveSchema): Place[] {
  const found: Place[] = []
  const seen = new Map<object, Set<string | null>>()
  const ahead = startsOf(routeSchema, part)
  for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
    const names = seen.get(place.schema) ?? new Set()
    // A schema may be used for several properties, and marks each of them.
    if (names.has(place.name)) continue
    seen.set(place.schema, names.add(place.name))
    found.push(place)
    ahead.push(...heldBy(place), ...referredBy(place, resolve))
  }
  return found
}

/** Returns a body's schema, or one for each of its media types; for replies, those of each status. */
function startsOf(routeSchema: unknown, part: string): Place[] {
  const schema = memberOf(routeSchema, part)
  const wholes = part === 'response' ? membersOf(schema, part) : [{ schema, path: part }]
  return wholes.flatMap(({ schema: whole, path }) => {
    const contents =
      part === 'body' || part === 'response' ? membersOf(memberOf(whole, 'content'), `${path}/content`) : []
    const all = [
      { schema: whole, path },
      ...contents.map((content) => ({ schema: memberOf(content.schema, 'schema'), path: `${content.path}/schema` })),
    ]
    return all.flatMap(({ schema: root, path: at }) => placeOf(root, root, '', at))
  })
}

function heldBy({ schema, root, name, path }: Place): Place[] {
  const places: Place[] = []
  for (const keyword of HELD) {
    const value = memberOf(schema, keyword)
    const list = isList(value) ? value.map((_, index) => ownValue(value, index)) : [value]
    for (const held of list) places.push(...placeOf(held, root, name, `${path}/${keyword}`))
  }
  for (const keyword of HELD_BY_NAME) {
    for (const held of membersOf(memberOf(schema, keyword), `${path}/${keyword}`)) {
      places.push(...placeOf(held.schema, root, name, held.path))
    }
  }
  for (const keyword of DEFINITIONS) {
    for (const held of membersOf(memberOf(schema, keyword), `${path}/${keyword}`)) {
      places.push(...placeOf(held.schema, root, null, held.path))
    }
  }
  for (const held of membersOf(memberOf(schema, 'properties'), `${path}/properties`)) {
    places.push(...placeOf(held.schema, root, held.key, held.path))
  }
  return places
}

function referredBy({ schema, root, name, path }: Place, resolve: ResolveSchema): Place[] {
  return REFERENCES.flatMap((keyword) => {
    const reference = memberOf(schema, keyword)
    if (typeof reference !== 'string') return []
    const hash = reference.indexOf('#')
    const id = hash === -1 ? reference : reference.slice(0, hash)
    const fragment = hash === -1 ? '' : reference.slice(hash + 1)
    const document = id === '' ? root : documentOf(id, root, resolve)
    return placeOf(target(document, fragment), document, name, `${path}/${keyword}`)
  })
}

/** Returns the document with an id. A relative id is looked up as it is, and relative to the id of its document. */
function documentOf(id: string, root: object, resolve: ResolveSchema): unknown {
  const base = memberOf(root, '$id')
  const absolute = typeof base === 'string' && URL.canParse(id, base) ? [new URL(id, base).href] : []
  for (const name of [id, `${id}#`, ...absolute]) {
    const known = base === name ? root : (resolve(name) ?? embedded(root, '$id', name))
    if (known !== undefined) return known
  }
  return undefined
}

/** Returns what a fragment points to: a JSON pointer, or a name that a schema gives itself. */
function target(document: unknown, fragment: string): unknown {
  if (fragment === '') return document
  if (!fragment.startsWith('/')) {
    return (
      embedded(document, '$anchor', fragment) ??
      embedded(document, '$dynamicAnchor', fragment) ??
      embedded(document, '$id', `#${fragment}`)
    )
  }
  const keys = decode(fragment).slice(1).split('/')
  return keys.reduce(
    (value: unknown, key) => memberOf(value, key.replaceAll('~1', '/').replaceAll('~0', '~')),
    document,
  )
}

/** Returns the schema within a document that has a name by a keyword. */
function embedded(document: unknown, keyword: string, name: string): unknown {
  const seen = new Set<object>()
  const ahead = placeOf(document, document, null, '')
  for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
    if (seen.has(place.schema)) continue
    seen.add(place.schema)
    if (memberOf(place.schema, keyword) === name) return place.schema
    ahead.push(...heldBy(place))
  }
  return undefined
}

function placeOf(schema: unknown, root: unknown, name: string | null, path: string): Place[] {
  if (!isReadable(schema) || !isReadable(root)) return []
  // A schema with an id is a document.
  const id = ownValue(schema, '$id')
  const isDocument = typeof id === 'string' && !id.startsWith('#')
  return [{ schema, root: isDocument ? schema : root, name, path }]
}

function membersOf(value: unknown, path: string): Array<{ key: string; schema: unknown; path: string }> {
  if (!isReadable(value)) return []
  return Object.keys(value).map((key) => ({ key, schema: ownValue(value, key), path: `${path}/${key}` }))
}

function memberOf(value: unknown, key: string): unknown {
  return isReadable(value) || isList(value) ? ownValue(value, key) : undefined
}

function isReadable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value) && isPlainObject(value)
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && !types.isProxy(value)
}

/** A malformed sequence points to nothing. */
function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch (error) {
    if (error instanceof URIError) return fragment
    throw error
  }
}
