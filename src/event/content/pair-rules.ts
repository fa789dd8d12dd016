import { Members, nameForNext } from '../../redact/beside.js'
import type { ChangeReport } from '../../redact/change-report.js'
import type { Secrecy } from '../../redact/keys.js'
import { SEARCHED_KEY } from '../../redact/limits.js'
import { ownValue } from '../../redact/safe-inspect.js'
import type { Place } from './place.js'

/** How secret a value is before and after. */
export type Secrecies = readonly [before: Secrecy, after: Secrecy]

/** Neither is secret. */
export const OPEN: Secrecies = [0, 0]
const MASKED: Secrecies = [2, 2]

/** Tells where the members of two objects or lists are, and how secret. */
export interface PairRules<Step extends string | number> {
  secreciesOf(step: Step, before: unknown, after: unknown): Secrecies
  placeOf(step: Step): Place
}

/** The rules for two objects. */
export class ObjectRules implements PairRules<string> {
  private sides: readonly [Members, Members] | undefined

  constructor(
    private readonly place: Place,
    private readonly before: object,
    private readonly after: object,
    private readonly report: ChangeReport,
  ) {}

  secreciesOf(key: string, before: unknown, after: unknown): Secrecies {
    if (key.length > SEARCHED_KEY) return MASKED
    if (this.isPlain(key)) return OPEN
    const [membersBefore, membersAfter] = this.members()
    return [membersBefore.secrecyOf(key, before), membersAfter.secrecyOf(key, after)]
  }

  placeOf(key: string): Place {
    const { place } = this
    if (key.length > SEARCHED_KEY || this.isPlain(key))
      return { parent: place, step: key, item: place.item, marks: place.marks }
    const [membersBefore, membersAfter] = this.members()
    const [marks, others] = [membersBefore.marksWithin(key), membersAfter.marksWithin(key)]
    return { parent: place, step: key, item: place.item, marks: marks === others ? marks : union(marks, others) }
  }

  private isPlain(key: string): boolean {
    const { report, place } = this
    return report.redactor.plainKey(key, report, place.marks) !== null
  }

  private members(): readonly [Members, Members] {
    const { place, report, before, after } = this
    this.sides ??= [new Members(before, report.redactor, place.marks), new Members(after, report.redactor, place.marks)]
    return this.sides
  }
}

/** The rules for two lists that are compared by index. */
export class ListRules implements PairRules<number> {
  constructor(
    private readonly place: Place,
    private readonly before: readonly unknown[],
    private readonly after: readonly unknown[],
    private readonly report: ChangeReport,
  ) {}

  secreciesOf(index: number, before: unknown, after: unknown): Secrecies {
    return [this.secrecyIn(this.before, index, before), this.secrecyIn(this.after, index, after)]
  }

  placeOf(index: number): Place {
    const { place } = this
    return { parent: place, step: index, item: place.item, marks: place.marks }
  }

  /** An item may be named by the one before it, as in `["--password", "x"]`. */
  private secrecyIn(list: readonly unknown[], index: number, item: unknown): Secrecy {
    const { redactor } = this.report
    const { marks } = this.place
    if (index === 0 || index >= list.length) return 0
    const before = ownValue(list, index - 1)
    if (typeof before !== 'string') return 0
    const name = nameForNext(before, index - 1, list.length, redactor, marks)
    return name === undefined ? 0 : redactor.secrecyOfValue(name, item, marks)
  }
}

/** The rules for two lists that are compared by ids, of which all items are objects. */
export class ItemRules implements PairRules<number> {
  /** The id of the item that is compared. */
  id = ''

  constructor(
    private readonly place: Place,
    private readonly key: string,
  ) {}

  secreciesOf(): Secrecies {
    return OPEN
  }

  placeOf(index: number): Place {
    const { place, key, id } = this
    return { parent: place, step: index, item: { key, value: id }, marks: place.marks }
  }
}

function union(one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): ReadonlySet<string> {
  return new Set([...(one ?? []), ...(other ?? [])])
}
