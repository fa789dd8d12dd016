import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { BOUNDS } from '../../src/event/limits.js'
import audit, { type AuditStats, memorySink } from '../../src/index.js'
import { CHECKS, OUTAGE_CHECKS } from '../../src/sinks/testing/checks.js'
import { codeBlocks, documents, links, read, root } from '../support/markdown.js'
import { validateLine } from '../support/schema.js'

/** The tables under a heading: the first cell of each row, without its backticks, and the others. */
function table(file: string, heading: string): Map<string, string[]> {
  const section = read(file)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`))
  const rows = [...(section ?? '').matchAll(/^\| `([\w.]+)` \| (.*) \|$/gm)]
  return new Map(rows.map(([, key = '', rest = '']) => [key, rest.split(' | ')]))
}

interface Schema {
  $ref?: string
  properties?: Record<string, Schema>
  required?: string[]
}

const eventSchema: Schema & { $defs: Record<string, Schema> } = JSON.parse(read('schema/event.schema.json'))

/** Every key of an object by its path, and whether it is in every such object. */
function keysOf(schema: Schema, path = '', isHereAlways = true): Array<[string, boolean]> {
  const target = eventSchema.$defs[schema.$ref?.replace('#/$defs/', '') ?? ''] ?? schema
  return Object.entries(target.properties ?? {}).flatMap(([key, inner]): Array<[string, boolean]> => {
    const isAlways = isHereAlways && (target.required ?? []).includes(key)
    return [[path + key, isAlways], ...keysOf(inner, `${path}${key}.`, isAlways)]
  })
}

const EVENT = 'docs/event-format.md'
const types = Object.keys(eventSchema.$defs).filter((name) => eventSchema.$defs[name]?.properties?.type !== undefined)

describe(EVENT, () => {
  it('has every key around an event', () => {
    const { payload: _, ...rest } = eventSchema.properties ?? {}
    const keys = keysOf({ ...eventSchema, properties: { ...rest, payload: {} } })
    expect(always(table(EVENT, 'Around every event'))).toEqual(Object.fromEntries(keys))
  })

  it("has every key of a request's payload, and says which are always there", () => {
    expect(always(table(EVENT, 'The payload of a request'))).toEqual(
      // The keys of `auth_at_end` are those of `auth`.
      Object.fromEntries(keysOf({ $ref: '#/$defs/audit' }).filter(([key]) => !key.startsWith('auth_at_end.'))),
    )
  })

  it("has every key of an action's payload, and says which are always there", () => {
    expect(always(table(EVENT, 'The payload of an action'))).toEqual(
      // The keys of `auth` are those of a request's.
      Object.fromEntries(keysOf({ $ref: '#/$defs/action' }).filter(([key]) => !key.startsWith('auth.'))),
    )
  })

  it("has every key of the trail's own life", () => {
    const common = ['id', 'type', 'timestamp', 'version', 'truncated', 'omitted', 'redacted']
    const keys = types
      .filter((type) => type !== 'audit' && type !== 'action')
      .flatMap((type) => keysOf({ $ref: `#/$defs/${type}` }).map(([key]) => key))
    expect([...table(EVENT, "The trail's own life").keys()].sort()).toEqual(
      keys.filter((key) => !common.includes(key)).sort(),
    )
  })

  it('has the bounds of the code', () => {
    const rows = table(EVENT, 'What is cut, escaped and redacted')
    expect(Object.fromEntries([...rows].map(([key, [bound]]) => [key, Number(bound)]))).toEqual(BOUNDS)
  })

  function always(rows: Map<string, string[]>): Record<string, boolean> {
    return Object.fromEntries([...rows].map(([key, [when]]) => [key, when === 'always']))
  }
})

describe('the events that documents show', () => {
  const shown = documents()
    .flatMap(codeBlocks)
    .filter(({ language, text }) => language === 'json' && text.includes('"event_type"'))

  it.each(shown.map((block) => [`${block.file}:${block.line}`, block.text] as const))(
    'at %s are valid by the schema',
    (_, text) => {
      // One event laid out for reading, or one a line.
      const events = text.startsWith('{\n') ? [text] : text.trimEnd().split('\n')
      for (const event of events) expect(() => validateLine(JSON.stringify(JSON.parse(event)))).not.toThrow()
    },
  )

  it('are there', () => {
    expect(shown.length).toBeGreaterThan(2)
  })
})

describe('docs/guarantees.md', () => {
  it('has every counter of app.audit.stats(), in its order', async () => {
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'test', sink: memorySink() }] })
    await app.ready()
    const stats: AuditStats = app.audit.stats()
    await app.close()
    const section = read('docs/guarantees.md').split('## Counters')[1] ?? ''
    const tables = section
      .split('`SinkStats`')
      .map((part) => [...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key))
    expect(tables).toEqual([Object.keys(stats), Object.keys(stats.sinks.test ?? {})])
  })
})

const CUSTOM_SINKS = 'docs/custom-sinks.md'

describe(CUSTOM_SINKS, () => {
  it('has the sink that its example tests', () => {
    const shown = codeBlocks(CUSTOM_SINKS).find(({ text }) => text.includes('class DatabaseSink'))?.text ?? ''
    const sink = /^class DatabaseSink .*?^}$/ms.exec(shown)?.[0] ?? 'no such class'
    expect(read('examples/database-sink.ts')).toContain(sink)
  })

  it('lists what the conformance suite checks, in its order', () => {
    const listed = [
      ...(read(CUSTOM_SINKS)
        .split('## Testing it')[1]
        ?.matchAll(/^- (.*)$/gm) ?? []),
    ].map(([, text]) => text)
    expect(listed).toEqual([...CHECKS, ...OUTAGE_CHECKS].map(({ name }) => name))
  })
})

describe('the README', () => {
  it('links to every page', () => {
    const pages = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)
    expect(pages.filter((page) => !links('README.md').includes(page))).toEqual([])
  })
})
