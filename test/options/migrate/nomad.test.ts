import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { optionsFromNomadStanza } from '../../../src/options/migrate/nomad.js'
import { parseOptions } from '../../../src/options/parse.js'
import { codeBlocks } from '../../support/markdown.js'
import { linesOf } from './settings.js'

/** The stanza as Nomad's documentation shows it, every key of it. */
const SINK = {
  type: 'file',
  delivery_guarantee: 'best-effort',
  format: 'json',
  path: '/var/lib/nomad/audit/audit.log',
  rotate_bytes: 100,
  rotate_duration: '12h',
  rotate_max_files: 10,
  mode: '0640',
}
const FILTER = { type: 'HTTPEvent', endpoints: ['/v1/metrics'], stages: ['*'], operations: ['*'] }
const STANZA = { enabled: true, sink: { audit: SINK }, filter: { default: FILTER } }

const OPTIONS = {
  enabled: true,
  sinks: [
    {
      name: 'audit',
      type: 'file',
      deliveryGuarantee: 'best-effort',
      format: 'json',
      path: '/var/lib/nomad/audit/audit.log',
      rotateBytes: 100,
      rotateDuration: '12h',
      rotateMaxFiles: 10,
      mode: 0o640,
    },
  ],
  filters: [{ name: 'default', endpoints: ['/v1/metrics'], stages: ['*'], operations: ['*'] }],
}

function mistakes(stanza: unknown, dataDir?: string): string[] {
  return linesOf(() => optionsFromNomadStanza(stanza, { dataDir }))
}

function sinkMistakes(sink: object): string[] {
  return mistakes({ sink: { a: sink } })
}

function filterMistakes(filter: object): string[] {
  return mistakes({ filter: { f: { ...FILTER, ...filter } } })
}

function stagesOf(stages: string[]): unknown {
  return optionsFromNomadStanza({ filter: { f: { ...FILTER, stages } } }).filters?.[0]?.stages
}

describe('the stanza', () => {
  it('stands for the options of the same meaning', () => {
    expect(optionsFromNomadStanza(STANZA)).toEqual(OPTIONS)
  })

  it.each([
    ['an object in a list', { ...STANZA, sink: [{ audit: SINK }], filter: [{ default: FILTER }] }],
    ['lists by name', { ...STANZA, sink: { audit: [SINK] }, filter: { default: [FILTER] } }],
    ['lists within lists', [{ ...STANZA, sink: [{ audit: [SINK] }], filter: [{ default: [FILTER] }] }]],
    ["both, as in Nomad's own tests", { ...STANZA, sink: [{ audit: SINK }], filter: [{ default: [FILTER] }] }],
  ])('may have its blocks as %s', (_, stanza) => {
    expect(optionsFromNomadStanza(stanza)).toEqual(OPTIONS)
  })

  it('that the documentation shows stands for the options beside it', () => {
    const [block] = codeBlocks('docs/migrating.md').filter(({ language }) => language === 'json')
    const agent: { audit: unknown; data_dir: string } = JSON.parse(block?.text ?? '')
    expect(optionsFromNomadStanza(agent.audit, { dataDir: agent.data_dir })).toEqual({
      ...OPTIONS,
      dataDir: '/opt/nomad/data',
      sinks: OPTIONS.sinks.map((sink) => ({
        ...sink,
        ...{ deliveryGuarantee: 'enforced', rotateBytes: 104_857_600, rotateDuration: '24h' },
      })),
      filters: [
        { name: 'OperationReceived GETs', endpoints: ['*'], stages: ['OperationReceived'], operations: ['GET'] },
      ],
    })
  })

  it('is off when it does not say `enabled`, and is checked all the same', () => {
    expect(optionsFromNomadStanza({})).toEqual({ enabled: false })
    expect(optionsFromNomadStanza({ sink: {}, filter: [] })).toEqual({ enabled: false })
    expect(optionsFromNomadStanza({ sink: STANZA.sink }).enabled).toBe(false)
    expect(mistakes({ sink: { a: { mode: 'x' } } })).toHaveLength(1)
  })

  it('alone is the default sink in the data directory', () => {
    expect(optionsFromNomadStanza({ enabled: true }, { dataDir: '/opt/nomad' })).toEqual({
      enabled: true,
      dataDir: '/opt/nomad',
    })
    const [sink] = parseOptions(optionsFromNomadStanza({ enabled: true }, { dataDir: '/opt/nomad' })).sinks
    expect(sink).toMatchObject({ name: 'audit', deliveryGuarantee: 'enforced', format: 'json' })
    expect(sink).toHaveProperty('path', '/opt/nomad/audit/audit.log')
  })

  it("has Nomad's defaults where keys are absent, required ones too", () => {
    const options = optionsFromNomadStanza({ enabled: true, sink: { mine: {} } }, { dataDir: '/opt/nomad' })
    const [sink] = parseOptions(options).sinks
    expect(sink).toMatchObject({
      name: 'mine',
      type: 'file',
      deliveryGuarantee: 'enforced',
      format: 'json',
      path: '/opt/nomad/audit/audit.log',
      mode: 0o600,
      rotateBytes: 0,
      rotateDuration: 24 * 3_600_000,
      rotateMaxFiles: 0,
    })
    expect(optionsFromNomadStanza({ sink: { mine: {} } }).sinks).toMatchObject([{ path: 'data/audit/audit.log' }])
  })

  it('may have several sinks and filters, in its order', () => {
    const options = optionsFromNomadStanza({
      enabled: true,
      sink: [{ a: {}, b: { path: '/b.log', delivery_guarantee: 'best-effort' } }, { c: { path: '/c.log' } }],
      filter: { 'OperationReceived GETs': FILTER, 'globbed example': FILTER },
    })
    expect(options.sinks?.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(options.filters?.map(({ name }) => name)).toEqual(['OperationReceived GETs', 'globbed example'])
    expect(parseOptions(options).sinks.map(({ deliveryGuarantee }) => deliveryGuarantee)).toEqual([
      'enforced',
      'best-effort',
      'enforced',
    ])
  })

  it('may call a sink anything: what a name cannot have here becomes a dash', () => {
    const options = optionsFromNomadStanza({ sink: { 'my sink (1)': {}, ['x'.repeat(100)]: { path: '/x' } } })
    expect(parseOptions(options).sinks.map(({ name }) => name)).toEqual(['my-sink--1-', 'x'.repeat(64)])
    const proto = JSON.parse('{"sink":{"__proto__":{"path":"/p"}}}')
    expect(optionsFromNomadStanza(proto).sinks).toMatchObject([{ name: '__proto__', path: '/p' }])
  })
})

describe('a stage', () => {
  it.each([
    [['*'], ['*']],
    [['OperationReceived'], ['OperationReceived']],
    [['OperationComplete'], ['OperationComplete']],
    [['OperationReceived', 'OperationComplete'], ['*']],
    [['Operation*'], ['*']],
    [['*Received'], ['OperationReceived']],
    [['*C*'], ['OperationComplete']],
  ])('%j is %j, for Nomad matches stages as globs', (stages, expected) => {
    expect(stagesOf(stages)).toEqual(expected)
  })

  it.each(['OperationRecieved', 'operationreceived', 'Received', '', '*x*'])('that is none is refused: %j', (stage) => {
    expect(filterMistakes({ stages: [stage, '*'] })).toEqual([
      expect.stringMatching(/^- audit\.filter\.f\.stages\[0\]: ".*" is not 'OperationReceived', /),
    ])
  })
})

describe('what cannot be honoured', () => {
  it('is answered all at once, each at its place', () => {
    const stanza = {
      enable: true,
      sink: [
        { audit: [{ ...SINK, type: 'syslog', rotate_duration: '7d', mode: 600 }] },
        { two: { rotateBytes: 5, delivery_guarantee: 'best_effort', format: 'logfmt', path: '/x/' } },
      ],
      filter: { reads: { endpoints: ['/v1/{a,b}'], operations: ['get'], stages: [] } },
    }
    expect(mistakes(stanza)).toEqual([
      '- audit.enable: true is not an option; did you mean `enabled`?',
      '- audit.sink[0].audit[0].type: "syslog" is not "file", Nomad\'s only type of sink; write that, or leave it out',
      `- audit.sink[0].audit[0].mode: 600 is not a string of octal digits; write it as a string, such as '0600'`,
      '- audit.sink[0].audit[0].rotate_duration: "7d" is not a duration: there is no unit for days; write \'168h\'',
      "- audit.sink[1].two.delivery_guarantee: \"best_effort\" is not 'enforced' or 'best-effort'; did you mean 'best-effort'?",
      '- audit.sink[1].two.format: "logfmt" is not "json", Nomad\'s only format; write that, or leave it out',
      "- audit.sink[1].two.path: \"/x/\" is a directory's path; add the file's name, such as 'audit.log'",
      '- audit.sink[1].two.rotateBytes: 5 is not an option; did you mean `rotate_bytes`?',
      '- audit.filter.reads.endpoints[0]: "/v1/{a,b}" has braces, which Nomad takes literally; write one pattern for each alternative',
      '- audit.filter.reads.stages: [] is empty, which no event matches, so the filter would exclude nothing; write ["*"], or leave it out',
      '- audit.filter.reads.operations[0]: "get" is not in upper case, as methods are, so it would match none; write "GET"',
    ])
  })

  it.each([[undefined], [null], [true], ['x'], [[]], [[STANZA, STANZA]]])('is no stanza at all: %j', (stanza) => {
    expect(mistakes(stanza)).toEqual([expect.stringContaining('is not an object; write the `audit` stanza as { … }')])
  })

  it('is the whole configuration in the place of the stanza', () => {
    expect(mistakes({ audit: STANZA, data_dir: '/x' })).toEqual([
      expect.stringMatching(/^- audit\.audit: .*; hand in what is under it: `optionsFromNomadStanza\(config\.audit\)`/),
      expect.stringMatching(/^- audit\.data_dir: .*; hand it in beside the stanza/),
    ])
  })

  it.each([
    [{ sink: SINK }, 'audit.sink.type: "file" is not a block; blocks are keyed by name'],
    [{ sink: 'x' }, 'audit.sink: "x" is not an object keyed by name'],
    [{ sink: [[{ a: {} }]] }, 'audit.sink[0]: [{ a: {} }] is not an object keyed by name'],
    [{ sink: { a: null } }, 'audit.sink.a: null is not a block'],
    [{ sink: { '': {} } }, 'audit.sink[""]: {} has no name'],
    [{ filter: { a: [[]] } }, 'audit.filter.a[0]: [] is not a block'],
    [{ enabled: 'true' }, 'audit.enabled: "true" is not a boolean; write true or false'],
    [{ enabled: 1 }, 'audit.enabled: 1 is not a boolean'],
    [{ sinks: {} }, 'audit.sinks: {} is not an option; did you mean `sink`?'],
  ])('is a block out of shape: %j', (stanza, message) => {
    expect(mistakes(stanza)[0]).toContain(`- ${message}`)
  })

  it('is a file mode that is none, or locks the owner out', () => {
    for (const mode of ['', '600 ', '0o600', 'rw', '0999', '10600', '1777', 'x'.repeat(500)]) {
      expect(sinkMistakes({ mode }), mode).toEqual([expect.stringContaining('is no file mode; write ')])
    }
    expect(sinkMistakes({ mode: '0400' })).toEqual([expect.stringContaining('keeps its owner from ')])
    expect(optionsFromNomadStanza({ sink: { a: { mode: '600' } } }).sinks).toMatchObject([{ mode: 0o600 }])
  })

  it("is the placeholder of Nomad's page, which stands for the data directory", () => {
    for (const path of ['[data_dir]/audit/audit.log', '/[data_dir]/audit/audit.log']) {
      expect(sinkMistakes({ path })).toEqual([
        expect.stringContaining('leave `path` out for the default below `dataDir`'),
      ])
    }
  })

  it('is a number that is a string, broken or less than nothing', () => {
    for (const number of ['100', -1, 1.5, null, '100MiB', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(sinkMistakes({ rotate_bytes: number }), String(number)).toHaveLength(1)
      expect(sinkMistakes({ rotate_max_files: number }), String(number)).toHaveLength(1)
    }
  })

  it('is a duration that Go would refuse', () => {
    for (const rotate_duration of ['1d', '24', '', ' 1h', '-1h', 24, '1H', null]) {
      expect(sinkMistakes({ rotate_duration }), String(rotate_duration)).toEqual([
        expect.stringMatching(/^- audit\.sink\.a\.rotate_duration: .* is not a duration: .*write /),
      ])
    }
  })

  it('is a filter that would match nothing, which Nomad says nothing of', () => {
    for (const key of ['endpoints', 'stages', 'operations']) {
      expect(filterMistakes({ [key]: [] }), key).toEqual([expect.stringContaining('is empty, which no event matches')])
      expect(filterMistakes({ [key]: undefined }), key).toEqual([
        expect.stringContaining(`${key} is missing; write a list`),
      ])
      expect(filterMistakes({ [key]: '*' }), key).toEqual([expect.stringContaining('is not a list; write ["*"]')])
    }
    expect(filterMistakes({ type: 'RPCEvent' })).toEqual([expect.stringContaining('is not "HTTPEvent"')])
    expect(filterMistakes({ operations: ['{GET,PUT}'] })).toEqual([expect.stringContaining('has braces')])
    expect(filterMistakes({ endpoint: [] })).toEqual([expect.stringContaining('did you mean `endpoints`?')])
  })

  it('is two sinks that share a name or a file, and more sinks than fit', () => {
    expect(mistakes({ sink: [{ 'a b': { path: '/1' } }, { 'a-b': { path: '/2' } }] })).toEqual([
      '- audit.sink[1]["a-b"]: { path: "/2" } has the name of audit.sink[0]["a b"] too; give each sink a name of its own',
    ])
    expect(mistakes({ sink: { a: {}, b: { path: 'data/../data/audit/audit.log' } } })).toEqual([
      expect.stringMatching(/ has the file of audit\.sink\.a too; give each sink a `path` of its own$/),
    ])
    expect(mistakes({ sink: { a: [{ path: '/1' }, { path: '/2' }] } })).toHaveLength(1)
    const many = Array.from({ length: 17 }, (_, index) => [`s${index}`, { path: `/${index}` }])
    expect(mistakes({ sink: Object.fromEntries(many) })).toEqual([
      '- audit.sink.s15: { path: "/15" } is one too many; use at most 15 sinks',
    ])
  })

  it('is an empty data directory', () => {
    expect(mistakes({}, '')).toEqual([expect.stringContaining('- dataDir: "" is empty; write a directory')])
  })

  it('has a code of its own', () => {
    expect(() => optionsFromNomadStanza({ enable: true })).toThrow(
      expect.objectContaining({
        code: 'FST_AUDIT_INVALID_SETTINGS',
        message: expect.stringMatching(/^The settings of Nomad's audit stanza cannot be taken over:\n- audit\.enable/),
        mistakes: [{ path: 'audit.enable', value: 'true', message: 'is not an option; did you mean `enabled`?' }],
      }),
    )
  })
})

describe('any stanza', () => {
  const sink = fc.record(
    {
      type: fc.constantFrom('file', 'stdout'),
      delivery_guarantee: fc.constantFrom('enforced', 'best-effort'),
      format: fc.constant('json'),
      path: fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('/a', 'b', '/c/{slot}.log')),
      mode: fc.oneof(fc.constantFrom('0600', '640', '0777'), fc.string({ maxLength: 5 })),
      rotate_bytes: fc.maxSafeNat(),
      rotate_duration: fc.oneof(
        fc.nat(10_000).map((hours) => `${hours}h`),
        fc.constantFrom('0', '1d', '1h30m'),
      ),
      rotate_max_files: fc.maxSafeNat(),
    },
    { requiredKeys: [] },
  )
  const globs = fc.array(fc.oneof(fc.constantFrom('*', 'GET', '/v1/*', 'OperationReceived'), fc.string()), {
    maxLength: 3,
  })
  const filter = fc.record({ endpoints: globs, stages: globs, operations: globs }, { requiredKeys: [] })
  const names = fc.string({ unit: 'binary', maxLength: 5 })
  const stanza = fc.record(
    {
      enabled: fc.boolean(),
      sink: fc.dictionary(names, sink, { maxKeys: 3 }),
      filter: fc.dictionary(names, filter, { maxKeys: 3 }),
    },
    { requiredKeys: [] },
  )

  it('gives options that the plugin takes, or an error that says what is wrong', () => {
    fc.assert(
      fc.property(fc.oneof(stanza, fc.jsonValue()), fc.option(names, { nil: undefined }), (value, dataDir) => {
        try {
          const options = optionsFromNomadStanza(value, { dataDir })
          expect(options.dataDir).toBe(dataDir)
          parseOptions(options)
        } catch (error) {
          expect(error).toMatchObject({ code: 'FST_AUDIT_INVALID_SETTINGS' })
        }
      }),
    )
  })
})
