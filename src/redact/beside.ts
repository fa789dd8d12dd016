import { normalKey } from './keys.js'
import type { Redactor } from './redactor.js'
import { ownValue } from './safe-inspect.js'
import { IS_NAME, variablesOf } from './shapes.js'

/** What the members of an object tell of each other. */
export interface Beside {
  /** A name among them whose value is secret: `DB_PASSWORD` in `{ "name": "DB_PASSWORD", "value": "x" }`. */
  readonly name: string | undefined
  /** It is one of Kubernetes' Secrets. */
  readonly isSecret: boolean
  /** The keys that are secret in its `variables`. */
  readonly marks: ReadonlySet<string> | null
}

/** Reads the members that say something of others, once for an object. */
export function lookBeside(object: object, redactor: Redactor, marks: ReadonlySet<string> | null): Beside {
  return {
    name: secretNameIn(object, redactor, marks),
    isSecret: ownValue(object, 'kind') === 'Secret',
    marks: marksOfVariables(ownValue(object, 'query'), redactor, marks),
  }
}

function secretNameIn(object: object, redactor: Redactor, marks: ReadonlySet<string> | null): string | undefined {
  let found: string | undefined
  for (const key of Object.keys(object)) {
    if ((redactor.shapeOf(key) & IS_NAME) === 0) continue
    const name = redactor.secretName(ownValue(object, key), marks)
    // The most secret of several, which is masked in either mode.
    if (name !== undefined && (found === undefined || redactor.secrecyOf(name, marks) === 2)) found = name
  }
  return found
}

function marksOfVariables(
  query: unknown,
  redactor: Redactor,
  marks: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  if (typeof query !== 'string') return marks
  const variables = variablesOf(query, (argument) => redactor.secrecyOf(argument, marks) > 0)
  return variables.length === 0 ? marks : new Set([...(marks ?? []), ...variables.map(normalKey)])
}
