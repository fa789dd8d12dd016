import { types } from 'node:util'
import { Members, nameForNext } from '../../redact/beside.js'
import type { Secrecy } from '../../redact/keys.js'
import { MAX_DEPTH, SEARCHED_KEY } from '../../redact/limits.js'
import type { Redactor } from '../../redact/redactor.js'
import { ACCESSOR, isPlainObject, labelOf, ownValue, textOfDate } from '../../redact/safe-inspect.js'
import { type Items, itemsById } from './list-ids.js'
import type { ItemId, Place } from './place.js'

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
  /** The secret of which they are a part, which is one difference as a whole. */
  readonly secret: Secret | undefined
}

interface Secret {
  readonly difference: Difference
  isFound: boolean
}

/** Tells how secret the value of a step is, before and after. */
type Secrecies = (step: string | number, before: unknown, after: unknown) => readonly [Secrecy, Secrecy]

const OPEN = [0, 0] as const

/**
 * Finds the differences between two values, those nearest to the root first: a long list or a map of many keys, which a
 * client may have chosen, does not push out what stands above it. Calls nothing of the values. Time and memory depend on
 * MOST_VALUES, whatever is given, but for the list of an object's keys.
 */
export class Comparison {
  readonly found: Difference[] = []
  /** The differences beyond the bound. */
  surplus = 0
  /** True if there were more values than are compared. */
  isCut = false
  /** Objects whose content is unknown, because they are not plain ones. */
  notPlain = 0
  tooDeep = 0
  private readonly queue: Pair[] = []
  private left = MOST_VALUES

  /** `ids` are the keys that hold the ids of items. */
  constructor(
    private readonly most: number,
    private readonly ids: readonly string[],
    private readonly redactor: Redactor,
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
    const { before, after, place } = pair
    const { redactor } = this
    const [membersBefore, membersAfter] = [
      new Members(before, redactor, place.marks),
      new Members(after, redactor, place.marks),
    ]
    const secrecies: Secrecies = (step, one, other) => {
      const key = String(step)
      if (key.length > SEARCHED_KEY) return [2, 2]
      return [membersBefore.secrecyOf(key, one), membersAfter.secrecyOf(key, other)]
    }
    const within = (key: string): Place => {
      const [marks, others] = [membersBefore.marksWithin(key), membersAfter.marksWithin(key)]
      return { parent: place, step: key, item: place.item, marks: marks === others ? marks : union(marks, others) }
    }
    for (const key of Object.keys(before)) {
      this.member(pair, key, ownValue(before, key), enumerable(after, key), secrecies, within)
      if (this.isCut) return
    }
    for (const key of Object.keys(after)) {
      if (isEnumerable(before, key)) continue
      this.member(pair, key, undefined, ownValue(after, key), secrecies, within)
      if (this.isCut) return
    }
  }

  private lists(pair: Pair, before: readonly unknown[], after: readonly unknown[]): void {
    for (const key of this.ids) {
      if (Math.max(before.length, after.length) > this.left) break
      const [itemsBefore, itemsAfter] = [itemsById(before, key), itemsById(after, key)]
      if (itemsBefore !== null && itemsAfter !== null) {
        this.items(pair, key, [before, itemsBefore], [after, itemsAfter])
        return
      }
    }
    const { place } = pair
    const secrecies: Secrecies = (step, one, other) => [
      this.secrecyOfItem(before, Number(step), one, place),
      this.secrecyOfItem(after, Number(step), other, place),
    ]
    const within = (index: number): Place => ({ parent: place, step: index, item: place.item, marks: place.marks })
    const length = Math.max(before.length, after.length)
    for (let index = 0; index < length && !this.isCut; index++) {
      this.member(pair, index, ownValue(before, index), ownValue(after, index), secrecies, within)
    }
  }

  private items(
    pair: Pair,
    key: string,
    [before, itemsBefore]: readonly [readonly unknown[], Items],
    [after, itemsAfter]: readonly [readonly unknown[], Items],
  ): void {
    const { marks } = pair.place
    const none: Secrecies = () => OPEN
    for (const [id, index] of itemsAfter) {
      const item: ItemId = { key, value: id }
      const indexBefore = itemsBefore.get(id)
      const itemBefore = indexBefore === undefined ? undefined : ownValue(before, indexBefore)
      const within = (): Place => ({ parent: pair.place, step: index, item, marks })
      this.member(pair, index, itemBefore, ownValue(after, index), none, within)
      if (this.isCut) return
    }
    for (const [id, index] of itemsBefore) {
      if (itemsAfter.has(id)) continue
      const within = (): Place => ({ parent: pair.place, step: index, item: { key, value: id }, marks })
      this.member(pair, index, ownValue(before, index), undefined, none, within)
      if (this.isCut) return
    }
  }

  private member<Step extends string | number>(
    pair: Pair,
    step: Step,
    before: unknown,
    after: unknown,
    secrecies: Secrecies,
    within: (step: Step) => Place,
  ): void {
    if (this.left-- <= 0) this.isCut = true
    else if (before !== after || before === ACCESSOR) {
      const both = pair.secret === undefined ? secrecies(step, before, after) : OPEN
      this.values(within(step), before, after, both, pair.depth + 1, pair.secret)
    }
  }

  /** Notes two values that may differ, or has their members compared. */
  private values(
    place: Place,
    before: unknown,
    after: unknown,
    [secrecyBefore, secrecyAfter]: readonly [Secrecy, Secrecy],
    depth: number,
    outer: Secret | undefined,
  ): void {
    if (before === after && before !== ACCESSOR) return
    const difference = differenceOf(place, before, after, secrecyBefore, secrecyAfter)
    const secret = outer ?? (secrecyBefore + secrecyAfter > 0 ? { difference, isFound: false } : undefined)
    const kind = kindOf(before)
    if (kind !== kindOf(after)) this.note(difference, secret)
    else if (kind === 'scalar') {
      if (!isSameScalar(before, after)) this.note(difference, secret)
    } else if (kind === 'other') {
      if (labelOf(before) === labelOf(after)) this.notPlain++
      else this.note(difference, secret)
    } else if (depth >= MAX_DEPTH) this.tooDeep++
    else if (isObject(before) && isObject(after)) this.queue.push({ place, before, after, depth, secret })
  }

  private note(difference: Difference, secret: Secret | undefined): void {
    if (secret?.isFound) return
    if (secret !== undefined) secret.isFound = true
    if (this.found.length < this.most) this.found.push(secret?.difference ?? difference)
    else this.surplus++
  }

  private secrecyOfItem(list: readonly unknown[], index: number, item: unknown, { marks }: Place): Secrecy {
    if (index === 0 || index >= list.length) return 0
    const before = ownValue(list, index - 1)
    if (typeof before !== 'string') return 0
    const name = nameForNext(before, index - 1, list.length, this.redactor, marks)
    return name === undefined ? 0 : this.redactor.secrecyOfValue(name, item, marks)
  }
}

/** What is secret on one side is so on the other. Null and booleans say that a secret is set, and are not one. */
function differenceOf(
  place: Place,
  before: unknown,
  after: unknown,
  secrecyBefore: Secrecy,
  secrecyAfter: Secrecy,
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
  if (types.isDate(value)) return 'scalar'
  return isPlainObject(value) ? 'object' : 'other'
}

/** Compares two values that are not objects, as they are written. */
function isSameScalar(before: unknown, after: unknown): boolean {
  return scalarOf(before) === scalarOf(after)
}

/** Returns a scalar as it is written; an object itself. */
function scalarOf(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return String(value)
  return types.isDate(value) ? textOfDate(value) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isEnumerable(object: object, key: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(object, key)
}

function enumerable(object: object, key: string): unknown {
  return isEnumerable(object, key) ? ownValue(object, key) : undefined
}

function union(one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): ReadonlySet<string> {
  return new Set([...(one ?? []), ...(other ?? [])])
}
