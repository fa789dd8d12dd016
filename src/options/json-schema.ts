import { z } from 'zod'
import { optionsSchema } from './schema.js'

/** A JSON Schema, as far as it is looked at here. */
export interface JsonSchema {
  [keyword: string]: unknown
}

/** Stands for what JSON cannot hold, until it is taken out: a function, an instance, `undefined`. */
const UNREPRESENTABLE = 'not in JSON'

const ABOUT = {
  title: 'Options of fastify-audit-log',
  description:
    'What of the options JSON can hold. Left out are functions and instances: `identity`, `namespace`, `trace`, a `format` ' +
    "of one's own, and sinks that are given as `sink`. Patterns that cannot match, and sinks that share a name or a file, " +
    'are only found when the plugin is registered.',
}

/**
 * Makes the JSON Schema (draft 7) of the options, to check a configuration file with. Functions and instances are left
 * out of it: `identity`, `namespace`, `trace`, a `format` of one's own, and sinks that are given as `sink`.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { optionsJsonSchema } from 'fastify-audit-log'
 *
 * writeFileSync('audit.schema.json', JSON.stringify(optionsJsonSchema(), null, 2))
 * ```
 */
export function optionsJsonSchema(): JsonSchema {
  return z.toJSONSchema(optionsSchema.meta(ABOUT), {
    io: 'input',
    target: 'draft-07',
    unrepresentable: () => ({ $comment: UNREPRESENTABLE }),
    override: ({ jsonSchema }) => leaveOut(jsonSchema),
  })
}

/** Takes what JSON cannot hold out of an object's properties and a union's members, and objects that need it. */
function leaveOut(schema: z.core.JSONSchema.BaseSchema): void {
  delete schema.readOnly // said of values that a server makes; here only arrays that are not written to
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (!isLeftOut(property)) continue
    delete schema.properties?.[key]
    if (schema.required?.includes(key)) schema.$comment = UNREPRESENTABLE
  }
  if (schema.anyOf !== undefined) schema.anyOf = schema.anyOf.filter((member) => !isLeftOut(member))
  if (schema.oneOf !== undefined) schema.oneOf = schema.oneOf.filter((member) => !isLeftOut(member))
}

function isLeftOut(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && Reflect.get(schema, '$comment') === UNREPRESENTABLE
}
