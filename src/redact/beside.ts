import { normalKey, type Secrecy } from './keys.js'
import type { Redactor } from './redactor.js'
import { ownValue } from './safe-inspect.js'
import { IS_NAME, IS_SECRET_DATA, IS_VALUE, IS_VARIABLES, mayName, variablesOf } from './shapes.js'

/** Tells how secret the members of one object are: by their keys, and by what stands beside them. */
export class Members {
  private beside: Beside | undefined

  /** `marks` are further secret names of keys, in their normal form. */
  constructor(
    private readonly object: object,
    private readonly redactor: Redactor,
    private readonly marks: ReadonlySet<string> | null,
  ) {}

  secrecyOf(key: string, value: unknown): Secrecy {
    const { redactor, marks } = this
    const secrecy = redactor.secrecyOfValue(key, value, marks)
    const shape = redactor.shapeOf(key)
    return secrecy === 0 && shape > IS_NAME ? this.secrecyBeside(shape, value) : secrecy
  }

  /** Returns the secret names that hold within the value of a key. */
  marksWithin(key: string): ReadonlySet<string> | null {
    return this.redactor.shapeOf(key) < IS_VARIABLES ? this.marks : this.look().marks
  }

  private secrecyBeside(shape: number, value: unknown): Secrecy {
    const { name, isSecret } = this.look()
    if (isSecret && (shape & IS_SECRET_DATA) !== 0) return 2
    if (name === undefined || (shape & IS_VALUE) === 0) return 0
    return this.redactor.secrecyOfValue(name, value, this.marks)
  }

  private look(): Beside {
    this.beside ??= lookBeside(this.object, this.redactor, this.marks)
    return this.beside
  }
}

/** Returns the name that an item of a list gives to the next one, if that one is secret. */
export function nameForNext(
  item: string,
  index: number,
  length: number,
  redactor: Redactor,
  marks: ReadonlySet<string> | null,
): string | undefined {
  return mayName(item, index, length) ? redactor.secretName(item, marks) : undefined
}

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
