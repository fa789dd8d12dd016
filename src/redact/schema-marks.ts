import { describeValue } from './describe-value.js'
import { normalKey } from './redactor.js'
import { ownValue } from './safe-inspect.js'
import { placesIn, type ResolveSchema } from './subschemas.js'

/** The keywords that mark a field of a JSON Schema, and the one value that they have. */
const KEYWORDS = ['audit', 'x-audit']
const REDACT = 'redact'

/** The parts of a route's schema whose marks are kept; the others are read to say that theirs are not. */
const BODIES = ['body', 'response']
const OTHERS = ['querystring', 'query', 'params', 'headers']

/** Names of keys whose values are secret in a route's bodies; `unknown`: any of them may be. */
export type Marks = ReadonlySet<string> | null | 'unknown'

/** Names of properties, in the normal form of a redactor's keys, that a route's schema marks as secret in its bodies. */
export function marksOf(routeSchema: unknown, resolve: ResolveSchema): ReadonlySet<string> | null {
  const names = new Set<string>()
  for (const { schema, name } of BODIES.flatMap((part) => placesIn(routeSchema, part, resolve))) {
    const isMarked = KEYWORDS.some((keyword) => ownValue(schema, keyword) === REDACT)
    if (isMarked && name !== null && name !== '') names.add(normalKey(name))
  }
  return names.size === 0 ? null : names
}

/** What is wrong with the marks in a route's schema, and what to write instead. */
export function schemaMarkProblem(routeSchema: unknown, resolve: ResolveSchema = () => undefined): string | undefined {
  for (const part of [...BODIES, ...OTHERS]) {
    for (const { schema, name, path } of placesIn(routeSchema, part, resolve)) {
      for (const keyword of KEYWORDS) {
        const value = ownValue(schema, keyword)
        if (value === undefined) continue
        const mark = `'${keyword}' at ${path}`
        if (value !== REDACT) return `${mark} is ${describeValue(value)}. Write '${REDACT}', or leave it out.`
        if (!BODIES.includes(part)) {
          const key = name === null || name === '' ? 'name' : name
          return `${mark} has no effect: marks are for bodies. Name the key in the option \`redact: { keys: [${describeValue(key)}] }\`.`
        }
        if (name === '') {
          return `${mark} marks no property. Mark properties by name; a whole body is left out by \`config: { audit: { level: 'metadata' } }\`.`
        }
      }
    }
  }
  return undefined
}
