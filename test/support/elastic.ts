// A model of how Elasticsearch takes a document into an index, by its documentation on mapping: the documents
// that it refuses, and the fields that a first document gives later ones. Has only the types of the shipped template.

export interface Mapping {
  type?: string
  dynamic?: boolean
  enabled?: boolean
  properties?: Record<string, Mapping>
  ignore_above?: number
  depth_limit?: number
  date_detection?: boolean
}

/** The most fields that an index may have by default. */
const MOST_FIELDS = 1000
/** The bytes of Lucene's longest term. */
const LONGEST_TERM = 32_766

const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))?$|^\d{4}\/\d{2}\/\d{2}$/

class Refused extends Error {}

/** An index with a mapping, which grows by the documents that it takes. */
export class ElasticIndex {
  private readonly root: Mapping

  constructor(mapping: Mapping = {}) {
    this.root = structuredClone(mapping)
  }

  /** The reason why a document is refused; `undefined` if it is taken. */
  index(document: object): string | undefined {
    const before = structuredClone(this.root)
    try {
      this.object(this.root, document, 'document', true)
      if (fieldsOf(this.root) > MOST_FIELDS) throw new Refused('limit of total fields has been exceeded')
      return undefined
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      Object.assign(this.root, before)
      return error.message
    }
  }

  private object(mapping: Mapping, value: object, path: string, isDynamic: boolean): void {
    mapping.properties ??= {}
    for (const [name, member] of Object.entries(value)) {
      if (name.trim() === '') throw new Refused(`${path}: field name cannot be blank`)
      const [first = '', ...rest] = name.includes('.') ? name.split('.') : [name]
      if ([first, ...rest].some((part) => part.trim() === '')) throw new Refused(`${path}: ${name} is ambiguous`)
      const inner: unknown = rest.reduceRight<unknown>((held, part) => ({ [part]: held }), member)
      this.field(mapping.properties, first, inner, `${path}.${first}`, mapping.dynamic ?? isDynamic)
    }
  }

  private field(properties: Record<string, Mapping>, name: string, value: unknown, path: string, isDynamic: boolean) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (known?.enabled === false) return
    if (known === undefined && !isDynamic) return
    for (const item of [value].flat(Number.POSITIVE_INFINITY)) {
      if (item === null) continue
      // The field as the item before it has left it.
      const mapping = Object.hasOwn(properties, name) ? properties[name] : undefined
      if (mapping !== undefined) this.value(mapping, item, path, isDynamic)
      else {
        const made = this.made(item, path)
        properties[name] = made
        if (typeof item === 'object') this.object(made, item, path, isDynamic)
      }
    }
  }

  private made(item: unknown, path: string): Mapping {
    if (typeof item === 'object') return {}
    if (typeof item === 'boolean') return { type: 'boolean' }
    if (typeof item === 'number') {
      if (Number.isInteger(item)) assertLong(item, path)
      return { type: Number.isInteger(item) ? 'long' : 'double' }
    }
    return { type: this.root.date_detection !== false && DATE.test(String(item)) ? 'date' : 'text' }
  }

  private value(mapping: Mapping, item: unknown, path: string, isDynamic: boolean): void {
    const isObject = typeof item === 'object' && item !== null
    if (mapping.type === undefined || mapping.type === 'object') {
      if (!isObject) throw new Refused(`${path}: tried to parse as object, but found a concrete value`)
      this.object(mapping, item, path, isDynamic)
    } else if (mapping.type === 'flattened') {
      if (!isObject) throw new Refused(`${path}: expects an object`)
      flatten(mapping, item, path, '', 1)
    } else {
      if (isObject) throw new Refused(`${path}: cannot get a value of type ${mapping.type} of an object`)
      scalar(mapping, item, path)
    }
  }
}

function scalar({ type, ignore_above }: Mapping, item: unknown, path: string): void {
  const text = String(item)
  switch (type) {
    case 'text':
      return
    case 'keyword':
      if (text.length <= (ignore_above ?? Number.POSITIVE_INFINITY)) assertTerm(text, path)
      return
    case 'long':
      if (text.trim() === '' || Number.isNaN(Number(text))) throw new Refused(`${path}: ${text} is no long`)
      assertLong(Number(text), path)
      return
    case 'double':
      if (text.trim() === '' || !Number.isFinite(Number(text))) throw new Refused(`${path}: ${text} is no double`)
      return
    case 'boolean':
      if (!['true', 'false', ''].includes(text)) throw new Refused(`${path}: ${text} is no boolean`)
      return
    case 'date':
      if (typeof item !== 'number' && !DATE.test(text)) throw new Refused(`${path}: ${text} is no date`)
      return
    default:
      throw new Error(`the model does not know the type ${type}`)
  }
}

function flatten(mapping: Mapping, object: object, path: string, prefix: string, depth: number): void {
  if (depth > (mapping.depth_limit ?? 20)) throw new Refused(`${path}: exceeds the depth limit`)
  for (const [name, value] of Object.entries(object)) {
    for (const item of [value].flat(Number.POSITIVE_INFINITY)) {
      const key = `${prefix}${name}`
      if (typeof item === 'object' && item !== null) flatten(mapping, item, path, `${key}.`, depth + 1)
      else if (item !== null && String(item).length <= (mapping.ignore_above ?? Number.POSITIVE_INFINITY)) {
        assertTerm(`${key}\0${String(item)}`, path)
      }
    }
  }
}

function assertTerm(text: string, path: string): void {
  if (Buffer.byteLength(text) > LONGEST_TERM) throw new Refused(`${path}: contains one immense term`)
}

function assertLong(value: number, path: string): void {
  if (Math.abs(value) >= 2 ** 63) throw new Refused(`${path}: ${value} is out of range for a long`)
}

function fieldsOf({ properties = {} }: Mapping): number {
  return Object.values(properties).reduce((fields, mapping) => fields + 1 + fieldsOf(mapping), 0)
}
