import { describeValue } from './describe-value.js'
import { normalKey } from './redactor.js'
import { ownValue } from './safe-inspect.js'
import { placesIn, type ResolveSchema } from './subschemas.js'

/** The keywords that mark a field of a JSON Schema, and their only value. */
const KEYWORDS = ['audit', 'x-audit']
const REDACT = 'redact'

/** The parts of a route's schema in which marks have an effect, and those in which they are mistakes. */
const BODIES = ['body', 'response']
const OTHERS = ['querystring', 'query', 'params', 'headers']

/** Names of keys whose values are secret in a route's bodies. `unknown`: the schema cannot be read. */
export type Marks = ReadonlySet<string> | null | 'unknown'

/** Returns the names of properties that a route's schema marks as secret in its bodies, in the normal form of keys. */
export function marksOf(routeSchema: unknown, resolve: ResolveSchema): ReadonlySet<string> | null {
  const names = new Set<string>()
  for (const { schema, name } of BODIES.flatMap((part) => placesIn(routeSchema, part, resolve))) {
    const isMarked = KEYWORDS.some((keyword) => ownValue(schema, keyword) === REDACT)
    if (isMarked && name !== null && name !== '') names.add(normalKey(name))
  }
  return names.size === 0 ? null : names
}

/** Returns what is wrong with the marks in a route's schema, and what to write instead. */
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
