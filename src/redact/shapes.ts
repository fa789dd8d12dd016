import { types } from 'node:util'
import { ownValue } from './safe-inspect.js'
import { wordList } from './word-list.js'

// A name beside a value is a key: `{ "name": "DB_PASSWORD", "value": "x" }`, `["--password", "x"]`. These tables say
// which members of an object are names and which are values. A test compares them with docs/redaction.md.

/** Members that name a value beside them, in the normal form of keys. */
export const NAME_KEYS: readonly string[] = wordList(`
  name, key, k, id, type, label, field, fieldname, property, propertyname, attribute, attributename, param, parameter,
  parametername, parameterkey, header, headername, variable, variablename, setting, option, optionname, path, pointer,
  instancepath, datapath, column, columnname, claim, claimtype, prop, argument, argumentname
`)

/** Members that are the value of a name beside them. */
export const VALUE_KEYS: readonly string[] = wordList(`
  value, values, val, v, data, content, contents, from, to, old, new, oldvalue, newvalue, before, after, previous,
  previousvalue, prev, current, currentvalue, lhs, rhs, left, right, default, defaultvalue, text, rawvalue, stringvalue,
  valuestring, parametervalue, input, answer, received, actual
`)

/** The parts of a member in a shape, as bits. */
export const IS_NAME = 1
export const IS_VALUE = 2
/** The data of an object with `kind: Secret`, as in Kubernetes. */
export const IS_SECRET_DATA = 4
/** The variables of a GraphQL query. */
export const IS_VARIABLES = 8

const SECRET_DATA: readonly string[] = ['data', 'stringdata']

const SHAPES: ReadonlyMap<string, number> = shapes()

/** Returns a key's parts in the shapes, as bits; 0 for most keys. */
export function shapeOf(normalForm: string): number {
  return SHAPES.get(normalForm) ?? 0
}

/** Longer texts and lists are not names. */
export const LONGEST_NAME = 1024
const MOST_STEPS = 32

/** Returns the key that a name stands for. The steps of a JSON pointer or a URN become those of a path. */
export function asKey(name: string): string {
  if (!/[/:]/.test(name)) return name
  const path = name.replaceAll('~1', '.').replace(/[/:]+/g, '.')
  return path.startsWith('.') ? path.slice(1) : path
}

/** Returns a list of steps, such as `["user", "password"]`, as a path. */
export function pathOf(steps: unknown): string | undefined {
  if (!Array.isArray(steps) || types.isProxy(steps) || steps.length > MOST_STEPS) return undefined
  const names: string[] = []
  for (let index = 0; index < steps.length; index++) {
    const step = ownValue(steps, index)
    if (typeof step !== 'string' && typeof step !== 'number') return undefined
    names.push(String(step))
  }
  return names.join('.')
}

/**
 * Tells whether an item of a list may be the name of the next one: a flag of a command line (`--password`) anywhere,
 * any other name only in pairs (`["password", "x"]`).
 */
export function mayName(item: string, index: number, length: number): boolean {
  return item.charCodeAt(0) === DASH || (index % 2 === 0 && length % 2 === 0)
}

const DASH = 0x2d

/** Returns the variables that a GraphQL query gives to secret arguments: `login(password: $p)`. */
export function variablesOf(query: string, isSecret: (argument: string) => boolean): string[] {
  const found: string[] = []
  for (const { 1: variable = '', index } of query.matchAll(VARIABLE)) {
    // Only a bounded piece is searched: the client chooses what stands before each variable.
    const argument = ARGUMENT.exec(query.slice(Math.max(0, index - LONGEST_ARGUMENT), index))?.[1]
    if (argument !== undefined && isSecret(argument)) found.push(variable)
  }
  return found
}

const LONGEST_ARGUMENT = 64
const VARIABLE = /(?<=[:\s])\$(\w{1,128})/g
const ARGUMENT = /(?:^|\W)(\w+)\s*:\s*$/

function shapes(): Map<string, number> {
  const all = new Map<string, number>()
  const add = (names: readonly string[], bit: number): void => {
    for (const name of names) all.set(name, (all.get(name) ?? 0) | bit)
  }
  add(NAME_KEYS, IS_NAME)
  add(VALUE_KEYS, IS_VALUE)
  add(SECRET_DATA, IS_SECRET_DATA)
  add(['variables'], IS_VARIABLES)
  return all
}
