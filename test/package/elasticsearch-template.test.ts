import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuditOptions } from '../../src/index.js'
import audit, { memorySink } from '../../src/index.js'
import { ElasticIndex, type Mapping } from '../support/elastic.js'
import { read } from '../support/markdown.js'

const TEMPLATE: { index_patterns: string[]; template: { mappings: Mapping } } = JSON.parse(
  read('examples/collectors/elasticsearch-template.json'),
)
const { mappings } = TEMPLATE.template

/** Bodies of which each, or the next one after it, gives a mapping of its own a reason to refuse. */
const BODIES: unknown[] = [
  { a: 1 },
  { a: 'text' },
  { a: { b: 1 } },
  { a: [1, 'two', null] },
  [],
  [1, 'two', { three: 3 }],
  [[1], [{ a: 1 }]],
  7,
  1.5,
  1e300,
  2 ** 80,
  'text',
  true,
  null,
  '',
  { '': 1 },
  { '.': 1 },
  { ' ': 1 },
  { 'a.b': 1 },
  { 'a..b': 1, '.a': 2, 'b.': 3 },
  { day: '2026-03-24' },
  { day: 'tomorrow' },
  { day: 20260324 },
  { long: 'x'.repeat(40_000) },
  { much: 'x'.repeat(300_000) },
  Array.from({ length: 60 }).reduce<object>((inner) => ({ a: inner }), {}),
  Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`key${index}`, index])),
]

/** What a server stores of all of these, as bodies, as annotations and with captured headers. */
async function documentsOf(options: Omit<AuditOptions, 'sinks'>): Promise<object[]> {
  const app = Fastify({ bodyLimit: 2 ** 20 })
  onTestFinished(() => app.close())
  const sink = memorySink()
  await app.register(audit, { sinks: [{ name: 'memory', sink, seal: true }], ...options })
  app.post('/', async ({ body, audit }, reply) => {
    audit.annotate({ value: body, 'a.b': 1, a: body, '': 1, '.': 2, ...Object(body) })
    return reply.type('application/json').send(JSON.stringify(body))
  })
  app.get('/error', async () => {
    throw new Error('failed')
  })
  for (const body of BODIES) {
    const headers = { 'content-type': 'application/json', 'x-a': '1', 'x-a.b': 'text', 'user-agent': 'x'.repeat(600) }
    await app.inject({ method: 'POST', url: `/?${'q'.repeat(5000)}`, headers, payload: JSON.stringify(body) })
  }
  await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'text/plain' },
    payload: 'y'.repeat(300_000),
  })
  await app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'image/png' }, payload: 'z' })
  await app.inject('/error')
  for (const body of BODIES) await recordActions(app, body)
  await app.close()
  return sink.lines.map((line) => ({ '@timestamp': '2026-03-24T17:09:35.704Z', audit: JSON.parse(line) }))
}

/** Records an event and work with a value in everything that takes any. */
async function recordActions({ audit }: FastifyInstance, value: unknown): Promise<void> {
  const targets = [
    { type: 'invoice', id: 42, name: 'x'.repeat(600) },
    { type: '', id: '' },
  ]
  const changes = { before: { a: value, b: 1, c: null }, after: { a: 1, b: value, d: value } }
  const annotations = { value, 'a.b': 1, a: value, '': 1 }
  const at = '2026-03-24T17:09:35+01:00'
  await audit.record({ action: 'a', targets, changes, annotations, at, outcome: 'denied', reason: 'x'.repeat(5000) })
  const work = audit.run({ action: 'b', targets, annotations }, async () => {
    throw new Error('x'.repeat(5000))
  })
  await work.catch(() => undefined)
}

const EVERYTHING: Omit<AuditOptions, 'sinks'> = {
  level: 'response',
  capture: { requestHeaders: ['x-a', 'x-a.b', 'content-type'], responseHeaders: ['content-type'] },
  rules: [
    { routes: ['/error'], level: 1 },
    { routes: ['/nowhere'], level: 'none' },
  ],
  filters: [{ endpoints: ['/x'], stages: ['*'], operations: ['GET'], statuses: ['2xx'] }],
}

/** Why an index refuses documents, each reason that there is. */
function refusals(index: ElasticIndex, documents: readonly object[]): string[] {
  return documents.flatMap((document) => index.index(document) ?? [])
}

describe('the index template for Elasticsearch', () => {
  it('takes every entry, whatever its bodies and annotations hold and in whatever order they come', async () => {
    const documents = await documentsOf(EVERYTHING)
    expect(documents.length).toBeGreaterThan(5 * BODIES.length)
    expect(documents.filter((document) => JSON.stringify(document).includes('"before":')).length).toBeGreaterThan(20)
    expect(refusals(new ElasticIndex(mappings), documents)).toEqual([])
    expect(refusals(new ElasticIndex(mappings), documents.toReversed())).toEqual([])
    // Without it, most of them are refused.
    expect(refusals(new ElasticIndex(), documents).length).toBeGreaterThan(BODIES.length)
  })

  it('is not needed for the keys that are the same in every trail', async () => {
    const documents = await documentsOf({
      ...EVERYTHING,
      level: 'metadata',
      redact: { omit: ['annotations', 'changes'] },
    })
    expect(documents.some((document) => JSON.stringify(document).includes('"truncated"'))).toBe(true)
    expect(refusals(new ElasticIndex(), documents)).toEqual([])
  })

  it('has every key of the event schema', () => {
    const schema = JSON.parse(read('schema/event.schema.json'))
    const paths = [...pathsOf(schema, schema, '')]
    expect(paths.length).toBeGreaterThan(80)
    const missing = paths.filter((path) => !isMapped(mappings.properties?.audit, path.split('.').slice(1)))
    expect(missing).toEqual([])
  })

  it('is for the index that each collector writes to', () => {
    expect(TEMPLATE.index_patterns).toEqual(['audit*'])
    for (const [file, index] of [
      ['fluent-bit.yaml', 'index: audit\n'],
      ['filebeat.yaml', '  index: audit\n'],
      ['logstash.conf', 'index => "audit"\n'],
    ] as const) {
      expect(read(`examples/collectors/${file}`)).toContain(index)
    }
  })
})

/** The paths of all members that a JSON Schema names. */
function* pathsOf(root: object, schema: object, path: string): Generator<string> {
  const reference: unknown = Reflect.get(schema, '$ref')
  if (typeof reference === 'string') {
    const target: unknown = Reflect.get(Reflect.get(root, '$defs'), reference.split('/').at(-1) ?? '')
    if (typeof target === 'object' && target !== null) yield* pathsOf(root, target, path)
  }
  for (const one of [Reflect.get(schema, 'oneOf') ?? []].flat()) yield* pathsOf(root, one, path)
  const items: unknown = Reflect.get(schema, 'items')
  if (typeof items === 'object' && items !== null) yield* pathsOf(root, items, path)
  for (const [key, member] of Object.entries(Reflect.get(schema, 'properties') ?? {})) {
    yield `${path}.${key}`
    yield* pathsOf(root, Object(member), `${path}.${key}`)
  }
}

/** Whether a path has a field of its own, or is in one that takes anything. */
function isMapped(mapping: Mapping | undefined, [key, ...rest]: string[]): boolean {
  if (mapping === undefined) return false
  if (key === undefined || mapping.enabled === false || mapping.type === 'flattened') return true
  return isMapped(mapping.properties?.[key], rest)
}
