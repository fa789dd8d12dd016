import { types } from 'node:util'
import type { ChangeReport } from '../../redact/change-report.js'
import type { Secrecy } from '../../redact/keys.js'
import { MAX_DEPTH } from '../../redact/limits.js'
import { ACCESSOR, isPlainObject, labelOf, ownValue, textOfDate } from '../../redact/safe-inspect.js'
import { type Items, itemsById } from './list-ids.js'
import { ItemRules, ListRules, ObjectRules, OPEN, type PairRules, type Secrecies } from './pair-rules.js'
import type { Place } from './place.js'

// Not a library's: of microdiff, json-diff-ts, jsondiffpatch, fast-json-patch, rfc6902, just-diff and deep-object-diff, all
// call getters and traps of Proxies, none has a bound, and 22 objects of which each holds the next one twice stop
// all of them. Over snapshots that mend this, the fastest of them, microdiff 1.6.0, takes as long as what is below.

/** The most values that are compared. */
export const MOST_VALUES = 20_000

/** A value that differs. `undefined`: it is not there. */
export interface Difference {
  readonly place: Place
  readonly before: unknown
  readonly after: unknown
  readonly secrecyBefore: Secrecy
  readonly secrecyAfter: Secrecy
}

/** Two objects, or two lists, whose members are to be compared. */
interface Pair {
  readonly place: Place
  readonly before: object
  readonly after: object
  readonly depth: number
  /** The secret of which they are a part. */
  readonly secret: Secret | undefined
}

/** A secret, which is one difference whatever differs within it. */
interface Secret {
  readonly difference: Difference
  isFound: boolean
}

/**
 * Finds the differences between two values, those nearest to the root first: a long list or a map of many keys, which a
 * client may have chosen, does not push out what stands above it. Calls nothing of the values. Time and memory are
 * bounded by MOST_VALUES, whatever is given, but for the list of an object's keys.
 */
export class Comparison {
  readonly found: Difference[] = []
  /** The differences beyond the bound. */
  surplus = 0
  /** True if there were more values than are compared. */
  isCut = false
  /** Values whose content is unknown, because they are not plain objects. */
  notPlain = 0
  tooDeep = 0
  private readonly queue: Pair[] = []
  private left = MOST_VALUES

  /** `ids` are the keys that hold the ids of items. */
  constructor(
    private readonly most: number,
    private readonly ids: readonly string[],
    private readonly report: ChangeReport,
  ) {}

  compare(before: unknown, after: unknown, marks: ReadonlySet<string> | null): void {
    const root: Place = { parent: undefined, step: '', item: undefined, marks }
    this.values(root, before ?? undefined, after ?? undefined, OPEN, 0, undefined)
    // The queue grows while it is read.
    for (const pair of this.queue) {
      if (Array.isArray(pair.before) && Array.isArray(pair.after)) this.lists(pair, pair.before, pair.after)
      else this.objects(pair)
      if (this.isCut) return
    }
  }

  private objects(pair: Pair): void {
    const { before, after } = pair
    const rules = new ObjectRules(pair.place, before, after, this.report)
    let kept = 0
    for (const key of Object.keys(before)) {
      const value = enumerableValue(after, key)
      if (value !== undefined) kept++
      this.member(pair, rules, key, ownValue(before, key), value)
      if (this.isCut) return
    }
    const keys = Object.keys(after)
    if (kept === keys.length) return
    for (const key of keys) {
      if (isEnumerable(before, key)) continue
      this.member(pair, rules, key, undefined, ownValue(after, key))
      if (this.isCut) return
    }
  }

  private lists(pair: Pair, before: readonly unknown[], after: readonly unknown[]): void {
    const length = Math.max(before.length, after.length)
    for (const key of length > this.left ? [] : this.ids) {
      const [itemsBefore, itemsAfter] = [itemsById(before, key), itemsById(after, key)]
      if (itemsBefore === null || itemsAfter === null) continue
      this.items(pair, new ItemRules(pair.place, key), before, after, itemsBefore, itemsAfter)
      return
    }
    const rules = new ListRules(pair.place, before, after, this.report)
    for (let index = 0; index < length && !this.isCut; index++) {
      this.member(pair, rules, index, ownValue(before, index), ownValue(after, index))
    }
  }

  private items(
    pair: Pair,
    rules: ItemRules,
    before: readonly unknown[],
    after: readonly unknown[],
    itemsBefore: Items,
    itemsAfter: Items,
  ): void {
    for (const [id, index] of itemsAfter) {
      rules.id = id
      this.member(pair, rules, index, itemOf(before, itemsBefore.get(id)), ownValue(after, index))
      if (this.isCut) return
    }
    for (const [id, index] of itemsBefore) {
      if (itemsAfter.has(id)) continue
      rules.id = id
      this.member(pair, rules, index, ownValue(before, index), undefined)
      if (this.isCut) return
    }
  }

  private member<Step extends string | number>(
    pair: Pair,
    rules: PairRules<Step>,
    step: Step,
    before: unknown,
    after: unknown,
  ): void {
    if (this.left-- <= 0) {
      this.isCut = true
      return
    }
    if (before === after && before !== ACCESSOR) return
    const secrecies = pair.secret === undefined ? rules.secreciesOf(step, before, after) : OPEN
    this.values(rules.placeOf(step), before, after, secrecies, pair.depth + 1, pair.secret)
  }

  /** Notes two values that differ, or has their members compared. */
  private values(
    place: Place,
    before: unknown,
    after: unknown,
    secrecies: Secrecies,
    depth: number,
    outer: Secret | undefined,
  ): void {
    const difference = differenceOf(place, before, after, secrecies)
    const secret = outer ?? (secrecies[0] + secrecies[1] > 0 ? { difference, isFound: false } : undefined)
    const kind = kindOf(before)
    if (kind !== kindOf(after)) this.note(difference, secret)
    else if (kind === 'scalar') {
      if (scalarOf(before) !== scalarOf(after)) this.note(difference, secret)
    } else if (kind === 'other') {
      if (labelOf(before) !== labelOf(after)) this.note(difference, secret)
      else if (before !== after || before === ACCESSOR) this.notPlain++
    } else if (before !== after && isObject(before) && isObject(after)) {
      if (depth < MAX_DEPTH) this.queue.push({ place, before, after, depth, secret })
      else this.tooDeep++
    }
  }

  private note(difference: Difference, secret: Secret | undefined): void {
    if (secret?.isFound) return
    if (secret !== undefined) secret.isFound = true
    if (this.found.length < this.most) this.found.push(secret?.difference ?? difference)
    else this.surplus++
  }
}

/** Treats a value as secret if either side is, but for null and booleans: they say that a secret is set. */
function differenceOf(
  place: Place,
  before: unknown,
  after: unknown,
  [secrecyBefore, secrecyAfter]: Secrecies,
): Difference {
  const most = secrecyBefore > secrecyAfter ? secrecyBefore : secrecyAfter
  return {
    place,
    before,
    after,
    secrecyBefore: isFlag(before) ? secrecyBefore : most,
    secrecyAfter: isFlag(after) ? secrecyAfter : most,
  }
}

function isFlag(value: unknown): boolean {
  return value === null || typeof value === 'boolean'
}

type Kind = 'absent' | 'scalar' | 'list' | 'object' | 'other'

function kindOf(value: unknown): Kind {
  if (value === undefined) return 'absent'
  if (typeof value === 'symbol' || typeof value === 'function') return 'other'
  if (!isObject(value)) return 'scalar'
  if (types.isProxy(value)) return 'other'
  if (Array.isArray(value)) return 'list'
  if (isPlainObject(value)) return 'object'
  return types.isDate(value) ? 'scalar' : 'other'
}

/** Returns a scalar as it is written. */
function scalarOf(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return String(value)
  return types.isDate(value) ? textOfDate(value) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function itemOf(list: readonly unknown[], index: number | undefined): unknown {
  return index === undefined ? undefined : ownValue(list, index)
}

function isEnumerable(object: object, key: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(object, key)
}

/** Returns the value of an own property, if `Object.keys` lists it. */
function enumerableValue(object: object, key: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  if (descriptor === undefined || descriptor.enumerable !== true) return undefined
  return 'value' in descriptor ? descriptor.value : ACCESSOR
}
