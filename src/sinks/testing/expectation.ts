import { inspect } from 'node:util'
import { AuditInvalidExpectation } from '../../errors.js'
import type { EventTarget, Outcome } from '../../event/action.js'
import type { JsonValue } from '../../event/event.js'
import type { ActionName } from '../../event/vocabulary/define-actions.js'
import { fits, isMatcher } from './partial.js'
import { type Recorded, textOf } from './recorded.js'

/** A text that must be the same, or a pattern that is searched in it. */
export type ExpectedText = string | RegExp

/** A value of which only the keys that are named must be there. */
export type ExpectedValue = JsonValue | RegExp | readonly ExpectedValue[] | { readonly [key: string]: ExpectedValue }

/**
 * The members that the record of a request, work or event must have. Members that are left out may be anything.
 */
export interface ExpectedAudit {
  action?: ActionName | RegExp
  /** The actor's `accessor_id` or `name`. */
  actor?: ExpectedText
  /** Targets that must be among those recorded: `'invoice:42'`, or some keys of one. */
  targets?: ReadonlyArray<string | { type?: ExpectedText; id?: ExpectedText | number; name?: ExpectedText }>
  outcome?: Outcome
  reason?: ExpectedText
  /** Changes that must be among those recorded, or some keys of them. */
  changes?: ReadonlyArray<{ path?: ExpectedText; id?: string; before?: ExpectedValue; after?: ExpectedValue }>
  /** The status of the reply, such as `403`, or its class, such as `'4xx'`. */
  status?: number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx'
  error?: ExpectedText
  /** The HTTP method. */
  operation?: string
  /** The URL as the client sent it, the query string included. */
  endpoint?: ExpectedText
  /** The route's pattern, such as `/invoices/:id`. */
  route?: ExpectedText
  namespace?: ExpectedText
  /** Annotations that must be among those recorded. */
  annotations?: { readonly [key: string]: ExpectedValue }
}

/** One key of an expectation. */
interface Key {
  /** Says what to write, if this value is not right. */
  remedy(value: unknown): string | undefined
  /** The recorded value. */
  actual(recorded: Recorded): unknown
  /** Tells whether the recorded value is the expected one, if `fits` does not decide that. */
  isMet?(expected: unknown, recorded: Recorded): boolean
}

const OUTCOMES: readonly unknown[] = ['success', 'failure', 'denied'] satisfies Outcome[]
const STATUS_CLASS = /^[1-5]xx$/

const KEYS: Readonly<Record<keyof ExpectedAudit, Key>> = {
  action: text(({ payload }) => payload.action),
  actor: {
    ...text(({ payload }) => payload.auth.accessor_id),
    isMet: (expected, { payload: { auth } }) => fits(expected, auth.accessor_id) || fits(expected, auth.name),
  },
  targets: {
    remedy: (value) =>
      isList(value, (item) => (typeof item === 'string' ? item.includes(':') : isFilled(item)))
        ? undefined
        : "give a list of targets, such as ['invoice:42'] or [{ type: 'invoice' }]",
    actual: ({ payload }) => payload.targets,
    isMet: (expected, { payload }) => areAmong(expected, payload.targets, fitsTarget),
  },
  outcome: {
    remedy: (value) => (OUTCOMES.includes(value) ? undefined : "give 'success', 'failure' or 'denied'"),
    actual: ({ payload }) => payload.outcome,
  },
  reason: text(({ payload }) => payload.reason),
  changes: {
    remedy: (value) =>
      isList(value, isFilled) ? undefined : "give a list of changes, such as [{ path: '/status', after: 'paid' }]",
    actual: ({ payload }) => payload.changes,
    isMet: (expected, { payload }) => areAmong(expected, payload.changes, fits),
  },
  status: {
    remedy: (value) => (isStatus(value) ? undefined : "give a status, such as 403, or a class, such as '4xx'"),
    actual: ({ status }) => status,
    isMet: (expected, { status }) => expected === status || expected === `${Math.floor((status ?? 0) / 100)}xx`,
  },
  error: text(({ error }) => error),
  operation: {
    remedy: (value) =>
      typeof value === 'string' && /^[A-Z-]+$/.test(value)
        ? undefined
        : "give an HTTP method in capitals, such as 'POST'",
    actual: ({ request }) => request?.operation,
  },
  endpoint: text(({ request }) => request?.endpoint),
  route: text(({ request }) => request?.route),
  namespace: text(({ namespace }) => namespace),
  annotations: {
    remedy: (value) => (isFilled(value) ? undefined : 'give an object with at least one key'),
    actual: ({ annotations }) => annotations,
  },
}

/** One thing that is expected. */
export interface Expected {
  readonly key: string
  readonly value: unknown
  isMet(recorded: Recorded): boolean
  /** Says what is recorded instead. */
  instead(recorded: Recorded): unknown
}

/**
 * Reads an expectation. Refuses one that says nothing that could be compared: a test that cannot fail, or cannot pass,
 * is worse than none.
 */
export function readExpectation(expected: unknown): Expected[] {
  if (!isObject(expected)) throw new AuditInvalidExpectation(`${shown(expected)} is not an object; ${names()}`)
  return Object.entries(expected).map(([name, value]) => {
    if (!isKey(name)) throw new AuditInvalidExpectation(`there is no key ${shown(name)}; ${names()}`)
    const key = KEYS[name]
    const remedy = value === undefined ? 'leave it out if it may be anything' : key.remedy(value)
    if (remedy !== undefined) throw new AuditInvalidExpectation(`\`${name}\` is ${shown(value)}; ${remedy}`)
    return {
      key: name,
      value,
      isMet: (recorded) => key.isMet?.(value, recorded) ?? fits(value, key.actual(recorded)),
      instead: key.actual,
    }
  })
}

/** A value in a message, in one line. */
export function shown(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: 100, maxArrayLength: 10, depth: 4 })
}

function names(): string {
  return `the keys are ${Object.keys(KEYS).join(', ')}`
}

function isKey(name: string): name is keyof ExpectedAudit {
  return Object.hasOwn(KEYS, name)
}

function text(actual: Key['actual']): Key {
  return {
    remedy: (value) =>
      typeof value === 'string' || value instanceof RegExp || isMatcher(value)
        ? undefined
        : 'give a text, or a pattern such as /^invoice/',
    actual,
  }
}

/** Each of the expected items must be one that is recorded. */
function areAmong<Item>(
  expected: unknown,
  recorded: readonly Item[] | undefined,
  isOne: (expected: unknown, item: Item) => boolean,
): boolean {
  if (!Array.isArray(expected) || recorded === undefined) return false
  return expected.every((one) => recorded.some((item) => isOne(one, item)))
}

function fitsTarget(expected: unknown, target: EventTarget): boolean {
  if (typeof expected === 'string') return expected === textOf(target)
  if (isObject(expected) && typeof expected.id === 'number') return fits({ ...expected, id: `${expected.id}` }, target)
  return fits(expected, target)
}

function isStatus(value: unknown): boolean {
  if (typeof value === 'string') return STATUS_CLASS.test(value)
  return Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599
}

function isList(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isItem)
}

function isFilled(value: unknown): boolean {
  return isObject(value) && (isMatcher(value) || Object.keys(value).length > 0)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
