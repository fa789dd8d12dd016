import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { TrailEvent } from '../../src/event/event.js'

const schemaFile = new URL('../../schema/event.schema.json', import.meta.url)
const published: object = JSON.parse(readFileSync(schemaFile, 'utf8'))
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false })
addFormats.default(ajv)

/** Whether a value is an event by the published schema, which allows what later versions may add. */
export const isPublishedEvent = ajv.compile(published)

const isEvent = ajv.compile<TrailEvent>({ ...Object(strict(published)), $id: 'urn:fastify-audit-log:strict' })

/** Derives a schema that allows nothing but what this version writes: no other members, and no other types. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.filter((one) => one?.$ref !== '#/$defs/other').map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]))
  return inner.type === 'object' && inner.properties !== undefined ? { additionalProperties: false, ...inner } : inner
}

/**
 * The event of one line of format `json`; throws with the line and every mistake when it is not what this version
 * writes by the published schema, or the promises about a line (one line, no U+0000, no lone surrogate) do not hold.
 */
export function validateLine(line: string): TrailEvent {
  if (/[\n\r]/.test(line)) throw new Error(`A line holds a line ending: ${JSON.stringify(line)}`)
  const value: unknown = JSON.parse(line)
  const spoilt = hostileString(value, '')
  if (spoilt !== undefined) throw new Error(`U+0000 or a lone surrogate at ${spoilt}: ${line}`)
  if (isEvent(value)) return value
  throw new Error(`Not an event: ${line}\n${explain(isEvent.errors ?? [], typeOf(value))}`)
}

/** The place of a string, or a key, with a character that no line may hold. */
function hostileString(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return /\0|\p{Surrogate}/u.test(value) ? path || '/' : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = hostileString(key, `${path}/${key}`) ?? hostileString(inner, `${path}/${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The mistakes, without those of the alternatives that the entry's own type rules out. */
function explain(errors: readonly ErrorObject[], type: string): string {
  const own = errors.filter(({ schemaPath, keyword }) => {
    const branch = /^#\/\$defs\/(audit|action|end|start|stop|rotation|retention|gap|correction)\//.exec(schemaPath)?.[1]
    return branch === undefined ? keyword !== 'oneOf' : branch === type
  })
  const shown = own.length > 0 ? own : errors
  return shown
    .map(({ instancePath, message, params }) => `  ${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}`)
    .join('\n')
}

function typeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('payload' in value)) return ''
  const { payload } = value
  if (typeof payload !== 'object' || payload === null || !('type' in payload)) return ''
  return String(payload.type)
}
