import { normalKey } from './keys.js'
import type { Redactor } from './redactor.js'
import { ownValue } from './safe-inspect.js'
import { IS_NAME, variablesOf } from './shapes.js'

/** The facts that some members of an object tell about others. */
export interface Beside {
  /** The name of a secret value: `DB_PASSWORD` in `{ "name": "DB_PASSWORD", "value": "x" }`. */
  readonly name: string | undefined
  /** True for Kubernetes' `kind: Secret`. */
  readonly isSecret: boolean
  /** The keys that are secret in `variables`. */
  readonly marks: ReadonlySet<string> | null
}

/** Reads the members that say something about others. */
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
    // Of several names, one whose value is masked in either mode decides.
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
