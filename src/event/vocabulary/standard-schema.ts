/**
 * A schema of zod 3.24 or later, Valibot 1, ArkType 2, or any other library that implements Standard Schema
 * (https://standardschema.dev).
 */
export interface StandardSchema<Input = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Result | Promise<Result>
    /** Exists for the compiler alone. */
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined
  }
}

/** What a schema makes of a value: there are issues if the value is wrong. */
interface Result {
  readonly issues?: readonly Issue[] | undefined
}

export interface Issue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** The values that a schema takes. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input']

export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard: unknown = Reflect.get(value, '~standard')
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  )
}
