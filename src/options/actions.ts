import { z } from 'zod'
import { isStandardSchema, type StandardSchema } from '../event/vocabulary/standard-schema.js'
import { list, live, strict, text } from './values.js'

/** The schema of the option `actions`, which `defineActions` helps to write. */
export const actionsSchema = z
  .record(
    text('a name', 'invoice.refund'),
    strict('an action', {
      targets: list(text('a type', 'invoice')).optional(),
      annotations: live<StandardSchema>(annotationsProblem).optional(),
    }),
    {
      error: ({ code }) =>
        code === 'invalid_key'
          ? "has no name; write one, such as 'invoice.refund'"
          : "is not an object; write defineActions({ 'invoice.refund': { targets: ['invoice'] } })",
    },
  )
  .readonly()

function annotationsProblem(value: unknown): string | undefined {
  return isStandardSchema(value)
    ? undefined
    : 'is not a Standard Schema; write one of zod, Valibot or ArkType, such as z.object({ amount: z.number() })'
}
