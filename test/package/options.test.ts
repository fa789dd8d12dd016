import { runInNewContext } from 'node:vm'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { optionsJsonSchema, parseOptions } from '../../src/options/parse.js'
import { actionFilterSchema, httpFilterSchema, ruleSchema, selectorSchema } from '../../src/options/policy-schema.js'
import {
  captureSchema,
  customSinkSchema,
  fileSinkSchema,
  optionsSchema,
  redactSchema,
  stdoutSinkSchema,
} from '../../src/options/schema.js'
import { sealSchema } from '../../src/options/seal.js'
import { standaloneSchema } from '../../src/options/standalone.js'
import { codeBlocks, read } from '../support/markdown.js'

const DOCUMENT = 'docs/options.md'
const TYPES = ['src/options/types.ts', 'src/options/plugin-options.ts', 'src/options/standalone-options.ts']

/** What the schema says of a key: its default, or that it must be given, or neither. */
type Default = { default: unknown } | 'required' | 'none'

type Shape = Readonly<Record<string, { safeParse(value: unknown): { success: boolean; data?: unknown } }>>

/** What the defaults that a page or a docstring gives come to. */
function resolved(given: ReadonlyMap<string, Default>, shape: Shape): Map<string, Default> {
  return new Map(
    [...given].map(([key, value]): [string, Default] => [
      key,
      typeof value === 'object' ? { default: shape[key]?.safeParse(value.default).data } : value,
    ]),
  )
}

function defaultsOf(shape: Shape) {
  return new Map<string, Default>(
    Object.entries(shape).map(([key, schema]) => {
      const { success, data } = schema.safeParse(undefined)
      if (!success) return [key, 'required']
      return [key, data === undefined ? 'none' : { default: data }]
    }),
  )
}

/** What a literal in a document or a docstring stands for. */
function literal(text: string): unknown {
  return JSON.parse(JSON.stringify(runInNewContext(`(${text})`)))
}

/** The tables under a heading, as what each row says of its option. */
function documented(heading: string): Map<string, Default> {
  const section = read(DOCUMENT)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`))
  const rows = [...(section ?? '').matchAll(/^\| `(\w+)` \|(?:[^|]*)\| ([^|]*) \|/gm)]
  return new Map(
    rows.map(([, key = '', cell = '']): [string, Default] => {
      if (cell === 'required') return [key, 'required']
      return [key, cell === '–' ? 'none' : { default: literal(cell.replace(/^`|`$/g, '')) }]
    }),
  )
}

/** What the docstrings of an interface say of its members. */
function docstrings(name: string): Map<string, Default> {
  const body =
    new RegExp(`^(?:export )?interface ${name} .*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(TYPES.map(read).join('\n'))?.[1] ??
    ''
  const members = [...body.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+)?^ {2}(\w+)(\??):/gm)]
  return new Map(
    members.map(([, comment = '', key = '', optional]): [string, Default] => {
      const value = /@default (.*)/.exec(comment)?.[1]
      if (value !== undefined) return [key, { default: literal(value) }]
      return [key, optional === '' ? 'required' : 'none']
    }),
  )
}

const { shape: pluginShape } = optionsSchema
const { shape: fileShape } = fileSinkSchema
const stdoutDefaults = defaultsOf(stdoutSinkSchema.shape)

describe('docs/options.md', () => {
  it.each([
    ['The plugin', pluginShape],
    ['A sink', { ...fileShape, sink: customSinkSchema.shape.sink }],
    ['A filter', httpFilterSchema.shape],
    ['A filter of actions', actionFilterSchema.shape],
    ['A selector', selectorSchema.shape],
    ['A rule', ruleSchema.shape],
    ['Capture', captureSchema.shape],
    ['Redaction', redactSchema.shape],
    ['Sealing', sealSchema.shape],
  ])('says of "%s" what the schema says', (heading, shape) => {
    expect(Object.fromEntries(resolved(documented(heading), shape))).toEqual(Object.fromEntries(defaultsOf(shape)))
  })

  it('says of every option what it does', () => {
    const rows = read(DOCUMENT)
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    expect(rows.filter((row) => !/^\| `\w+` \| [^|]+ \| [^|]+ \| [^|]{10,} \|$/.test(row))).toEqual([])
  })

  it('shows the message that its wrong options end in', () => {
    const [wrong, message] = codeBlocks(DOCUMENT).filter(({ language }) => language === 'json' || language === 'text')
    expect(() => parseOptions(JSON.parse(wrong?.text ?? ''))).toThrow(
      expect.objectContaining({ message: message?.text.trimEnd() }),
    )
  })
})

describe('the docstrings', () => {
  it.each([
    ['AuditOptions', pluginShape, () => true],
    ['StandaloneOptions', standaloneSchema.shape, () => true],
    ['CaptureOptions', captureSchema.shape, () => true],
    ['RedactOptions', redactSchema.shape, () => true],
    ['SealOptions', sealSchema.shape, () => true],
    ['CommonSinkOptions', stdoutSinkSchema.shape, (key: string) => key !== 'type'],
    ['FileSinkOptions', fileShape, (key: string) => key === 'type' || !stdoutDefaults.has(key)],
    ['CustomSinkOptions', customSinkSchema.shape, (key: string) => key === 'type' || key === 'sink'],
  ])('of %s give the defaults of the schema', (name, shape, isMember) => {
    const defaults = [...defaultsOf(shape)].filter(([key]) => isMember(key))
    expect(Object.fromEntries(resolved(docstrings(name), shape))).toEqual(Object.fromEntries(defaults))
  })
})

describe('optionsJsonSchema', () => {
  const validate = new Ajv().compile(optionsJsonSchema())
  const filter = { endpoints: ['*'], stages: ['*'], operations: ['GET'] }

  function isAccepted(options: unknown): boolean {
    try {
      parseOptions(options)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'FST_AUDIT_INVALID_OPTIONS') return false
      throw error
    }
  }

  it('says what it leaves out, and leaves it out', () => {
    expect(optionsJsonSchema().description).toMatch(/identity.*namespace.*trace.*format.*sink/)
    const { properties } = JSON.parse(JSON.stringify(optionsJsonSchema()))
    expect(Object.keys(optionsSchema.shape).filter((key) => !(key in properties))).toEqual([
      'identity',
      'namespace',
      'trace',
    ])
    expect(JSON.stringify(optionsJsonSchema())).not.toContain('not in JSON')
    expect(validate({ sinks: [{ name: 'a', sink: {} }] })).toBe(false)
  })

  it.each<unknown>([
    {},
    { enabled: false, dataDir: 'x', scope: 'plugin', auditIdHeader: 'x-audit-id', closeTimeout: 0, abortTimeout: '1m' },
    {
      sinks: [
        { name: 'a', type: 'file' },
        { name: 'b', type: 'stdout', format: 'json', filters: [filter] },
      ],
    },
    { sinks: [{ name: 'a', type: 'file', seal: true }] },
    { sinks: [{ name: 'a', type: 'stdout', seal: {} }] },
    { sinks: [{ name: 'a', type: 'file', path: 'x.log', mode: 0o640, rotateBytes: '1GiB', maxQueueBytes: 1024 }] },
    { filters: [{ ...filter, name: 'x', type: 'HTTPEvent', statuses: ['2xx', '304'], actors: ['u*'] }] },
    { filters: [{ type: 'ActionEvent', actions: ['x'], targets: ['a:*'], outcomes: ['denied'], stages: ['*'] }] },
    { sinks: [{ name: 'a', type: 'file', only: [{ namespaces: ['a'] }, { statuses: ['5xx'], targets: ['x:1'] }] }] },
    { level: 3, rules: [{ level: 'none' }, { routes: ['/a/:b'], namespaces: ['x*'], operations: ['GET'], level: 2 }] },
    { capture: { maxBodyBytes: '1KiB', requestHeaders: ['Accept'] }, redact: { keys: ['x'], omit: ['auth.name'] } },
  ])('accepts %j, as the plugin does', (options) => {
    expect([validate(options), isAccepted(options)]).toEqual([true, true])
  })

  it.each<unknown>([
    null,
    { enable: true },
    { sinks: [] },
    { sinks: [{ name: 'a' }] },
    { sinks: [{ type: 'file' }] },
    { sinks: [{ name: 'a b', type: 'file' }] },
    { sinks: [{ name: 'a', type: 'memory' }] },
    { sinks: [{ name: 'a', type: 'stdout', path: 'x.log' }] },
    { sinks: [{ name: 'a', type: 'file', format: 'xml' }] },
    { sinks: [{ name: 'a', type: 'file', mode: 600 }] },
    { sinks: [{ name: 'a', type: 'file', seal: 'yes' }] },
    { sinks: [{ name: 'a', type: 'file', seal: { checkpointEvery: 0 } }] },
    { sinks: [{ name: 'a', type: 'file', seal: { key: 'x' } }] },
    { sinks: [{ name: 'a', type: 'file', maxQueue: 0 }] },
    { sinks: [{ name: 'a', type: 'file', rotateBytes: 1.5 }] },
    { filters: [{ ...filter, stages: [] }] },
    { filters: [{ endpoints: ['*'] }] },
    { filters: [{ ...filter, type: 'FileEvent' }] },
    { filters: [{ ...filter, type: 'ActionEvent' }] },
    { filters: [{ ...filter, actions: ['*'] }] },
    { filters: [{ type: 'ActionEvent', actions: ['*'], endpoints: ['*'] }] },
    { filters: [{ type: 'ActionEvent', actions: ['*'], outcomes: ['ok'] }] },
    { sinks: [{ name: 'a', type: 'file', only: [] }] },
    { sinks: [{ name: 'a', type: 'file', only: [{ routes: ['*'] }] }] },
    { sinks: [{ name: 'a', type: 'file', only: [{ actions: [] }] }] },
    { auditIdHeader: true },
    { auditIdHeader: 'a b' },
    { closeTimeout: 5 },
    { level: '3' },
    { level: 4 },
    { rules: [{ routes: ['*'] }] },
    { rules: [{ routes: [], level: 1 }] },
    { filters: [{ ...filter, statuses: ['6xx'] }] },
    { capture: { requestHeaders: ['a b'] } },
    { redact: { omit: ['auth.accessor_id'] } },
    { redact: { keyId: 'a b' } },
  ])('refuses %j, as the plugin does', (options) => {
    expect([validate(options), isAccepted(options)]).toEqual([false, false])
  })

  it('takes a text for a duration or a size when the plugin does, but for their bounds', () => {
    const text = fc.oneof(
      // Three digits at most: `8200T` looks like a size, and is beyond the bound.
      fc
        .string({ unit: fc.constantFrom(...'0123456789.+-hmsnuµKMGTiB '), maxLength: 8 })
        .filter((s) => !/\d{4}/.test(s)),
      fc
        .tuple(fc.nat(99), fc.constantFrom('h', 'm', 's', 'ms', 'd', 'H', 'K', 'KB', 'KiB', 'kb', 'B', ''))
        .map(([n, unit]) => `${n}${unit}`),
    )
    fc.assert(
      fc.property(text, (unit) => {
        for (const key of ['rotateDuration', 'rotateBytes']) {
          const options = { sinks: [{ name: 'a', type: 'file', [key]: unit }] }
          expect(validate(options)).toBe(isAccepted(options))
        }
      }),
      { numRuns: 500 },
    )
  })
})
