import { z } from 'zod'
import { AuditInvalidUnit } from '../errors.js'
import { secretProblem } from '../redact/secret.js'
import {
  DURATION_PATTERN,
  DURATION_REMEDY,
  MAX_TIMER_MS,
  MAX_UNIT_TEXT,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
  SIZE_REMEDY,
} from '../units.js'
import { choiceProblem, missing } from './problems.js'
import { closest } from './suggest.js'

// Each message continues a sentence that begins with the value: `"GET" is not a list; write ["GET"]`.

/** The error of a value of the wrong kind. */
export function expected(what: string, remedy: string) {
  return {
    error: ({ input }: { input?: unknown }) => (input === undefined ? missing(remedy) : `is not ${what}; ${remedy}`),
  }
}

/** A check by a function that says what is wrong. */
export function says<Value>(problem: (value: Value) => string | undefined) {
  return (value: Value, context: z.RefinementCtx<Value>) => {
    const message = problem(value)
    if (message !== undefined) context.addIssue(message)
  }
}

/** An object that has these keys alone. `elsewhere` says where keys belong that users look for here. */
export function strict<Shape extends z.core.$ZodLooseShape>(
  what: string,
  shape: Shape,
  elsewhere: Readonly<Record<string, string>> = {},
) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `is not an object; write ${what} as { … }`
      // One line for each key: zod has one issue for all of them, and `mistakesOf` takes it apart again.
      return issue.keys.map((key) => unknownKey(key, Object.keys(shape), elsewhere)).join('\n')
    },
  })
}

function unknownKey(key: string, known: readonly string[], elsewhere: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(elsewhere, key)) return `is not an option here; ${elsewhere[key]}`
  const meant = closest(key, known)
  if (meant !== undefined) return `is not an option; did you mean \`${meant}\`?`
  return `is not an option; there are ${known.join(', ')}`
}

/** A list; `empty` says what an empty one would mean, where it means nothing good. */
export function list<Item extends z.ZodType>(item: Item, empty?: string) {
  const ofTexts = ['string', 'enum'].includes(item.def.type)
  const items = z.array(item, {
    error: ({ input }) => {
      if (input === undefined) return missing(`write a list, such as ${ofTexts ? "['*']" : '[{ … }]'}`)
      const meant = ofTexts && typeof input === 'string' ? JSON.stringify([input.slice(0, 64)]) : '[ … ]'
      return `is not a list; write ${meant}`
    },
  })
  return (empty === undefined ? items : items.min(1, { error: `is empty, ${empty}` })).readonly()
}

export function choice<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: ({ input }) => choiceProblem(input, values) })
}

export const flag = () => z.boolean(expected('a boolean', 'write true or false'))

export const text = (what: string, example: string, problem: (value: string) => string | undefined = emptyProblem) =>
  z.string(expected(what, `write it as a string, such as '${example}'`)).superRefine(says(problem))

function emptyProblem(value: string): string | undefined {
  return value === '' ? 'is empty; write something, or leave it out' : undefined
}

/** A whole number of at least `least`. */
export function count(least: number) {
  const remedy = `write a whole number from ${least} on`
  return z.int(expected('a whole number', remedy)).min(least, { error: `is too small; ${remedy}` })
}

/** One of Go's durations, as it is written; `problem` may ask for more of its milliseconds. */
export function durationText(problem: (milliseconds: number) => string | undefined = () => undefined) {
  const check = (value: unknown) => {
    if (typeof value !== 'string' && typeof value !== 'number') return `is not a duration: ${DURATION_REMEDY}`
    return unitProblem('a duration', () => problem(parseDuration(value)))
  }
  return z
    .union([z.string().meta({ pattern: DURATION_PATTERN, maxLength: MAX_UNIT_TEXT }), z.literal(0)], {
      error: ({ input }) => check(input),
    })
    .superRefine(says(check))
}

/** One of Go's durations, in milliseconds. */
export function duration(problem?: (milliseconds: number) => string | undefined) {
  return durationText(problem).transform(parseDuration)
}

/** A duration that a timer can wait; `zero` says why 0 makes no sense, where it does not. */
export function timer(zero?: string) {
  return duration((milliseconds) => {
    if (milliseconds > MAX_TIMER_MS) return "is longer than a timer can wait; write at most '596h'"
    return milliseconds === 0 ? zero : undefined
  })
}

/** A size, in bytes; `zero` says why 0 makes no sense, where it does not. */
export function size(zero?: string) {
  const check = (value: unknown) => {
    if (typeof value !== 'string' && typeof value !== 'number') return `is not a size: ${SIZE_REMEDY}`
    return unitProblem('a size', () => (parseSize(value) === 0 ? zero : undefined))
  }
  return z
    .union(
      [
        z.string().meta({ pattern: SIZE_PATTERN, maxLength: MAX_UNIT_TEXT }),
        z.number().meta({ minimum: 0, multipleOf: 1 }),
      ],
      { error: ({ input }) => check(input) },
    )
    .superRefine(says(check))
    .transform(parseSize)
}

/** A secret in bytes. */
export function secret() {
  return live<string | Uint8Array>(secretProblem).transform((value): Uint8Array => Buffer.from(value))
}

/** Returns the message of a parser of units, or what `problem` finds in a value that can be parsed. */
function unitProblem(what: string, problem: () => string | undefined): string | undefined {
  try {
    return problem()
  } catch (error) {
    if (error instanceof AuditInvalidUnit) return `is not ${what}: ${error.message}`
    throw error
  }
}

/** A function or an instance that JSON cannot hold; `problem` says what is wrong with any other value. */
export function live<Type>(problem: (value: unknown) => string | undefined) {
  return z.custom<Type>((value) => problem(value) === undefined, { error: ({ input }) => problem(input) })
}
