import { describe, expect, it } from 'vitest'
import { documents, read } from '../support/markdown.js'

/** The public surface. Adding to it is a minor version, taking from it a major one. */
const publicNames = [
  'ActionAudit',
  'ActionDefinition',
  'ActionDefinitions',
  'ActionEvent',
  'ActionExplanation',
  'ActionFilterOptions',
  'ActionInput',
  'ActionName',
  'ActionPayload',
  'ActionRecorder',
  'AppAudit',
  'AuditEntry',
  'AuditEvent',
  'AuditHashOptions',
  'AuditOptions',
  'AuditSink',
  'AuditSinkUnavailable',
  'AuditStats',
  'AuditVocabulary',
  'BatchError',
  'CaptureOptions',
  'ChangedThing',
  'ChangesOptions',
  'Checkpoint',
  'CheckpointFunction',
  'CustomSinkOptions',
  'DeliveryGuarantee',
  'Duration',
  'EventAction',
  'EventAuth',
  'EventChange',
  'EventPayload',
  'EventRequest',
  'EventResponse',
  'EventTarget',
  'ExchangeCounts',
  'ExplainOptions',
  'ExplainedAction',
  'Explanation',
  'FileSinkOptions',
  'FilterExplanation',
  'FilterOptions',
  'FormatFunction',
  'FrameworkErrorsHandler',
  'HttpFilterOptions',
  'Identity',
  'IdentityCounts',
  'IdentityFunction',
  'JsonValue',
  'LevelName',
  'LevelOption',
  'LifecycleDetails',
  'LifecycleEvent',
  'LifecycleType',
  'MemoryExchange',
  'MemorySink',
  'NamedSecret',
  'NamespaceFunction',
  'OmittablePath',
  'OptionMistake',
  'Outcome',
  'RedactOptions',
  'ReplyEnd',
  'RequestAudit',
  'RouteAudit',
  'RouteAuditOptions',
  'RouteTarget',
  'RuleOptions',
  'SealOptions',
  'Secret',
  'SelectorOptions',
  'SinkContext',
  'SinkExplanation',
  'SinkLogger',
  'SinkOptions',
  'SinkStats',
  'Size',
  'Stage',
  'StatsMessage',
  'StdoutSinkOptions',
  'StreamSinkOptions',
  'TailOptions',
  'Target',
  'TargetsRequest',
  'TraceFunction',
  'TrailCounts',
  'TrailEvent',
  'TrailExchange',
  'TrailQuery',
  'TrailReading',
  'VerifiedFile',
  'VerifiedRange',
  'VerifyOptions',
  'VerifyProblem',
  'VerifyProblemKind',
  'VerifyResult',
  'WorkInput',
  'audit',
  'auditFrameworkErrors',
  'auditHash',
  'default',
  'defineActions',
  'isSealedLine',
  'memorySink',
  'optionsFromNomadStanza',
  'optionsFromRancherEnv',
  'optionsJsonSchema',
  'readTrail',
  'streamSink',
  'verifyTrail',
]

/** What `fastify-audit-log/testing` has, by the same rule. */
const testingNames = [
  'AuditedSink',
  'ExpectedAudit',
  'ExpectedText',
  'ExpectedValue',
  'FaultySink',
  'MemoryExchange',
  'MemorySink',
  'SinkUnderTest',
  'TestFunctions',
  'assertAudited',
  'assertNotAudited',
  'auditMatchers',
  'faultySink',
  'memorySink',
  'testSink',
]

/** What `fastify-audit-log/standalone` has, by the same rule. */
const standaloneNames = [
  'ActionAudit',
  'ActionDefinition',
  'ActionDefinitions',
  'ActionExplanation',
  'ActionFilterOptions',
  'ActionInput',
  'ActionName',
  'ActionRecorder',
  'AuditEntry',
  'AuditSink',
  'AuditSinkUnavailable',
  'AuditVocabulary',
  'BatchError',
  'CaptureOptions',
  'ChangedThing',
  'CustomSinkOptions',
  'Duration',
  'ExplainedAction',
  'FileSinkOptions',
  'FilterExplanation',
  'FilterOptions',
  'HttpFilterOptions',
  'Identity',
  'MemorySink',
  'Outcome',
  'RedactOptions',
  'SealOptions',
  'SelectorOptions',
  'SinkContext',
  'SinkExplanation',
  'SinkLogger',
  'SinkOptions',
  'SinkStats',
  'Size',
  'StandaloneAudit',
  'StandaloneOptions',
  'StandaloneStats',
  'StdoutSinkOptions',
  'StreamSinkOptions',
  'TailOptions',
  'Target',
  'WorkInput',
  'createAudit',
  'defineActions',
  'memorySink',
  'streamSink',
]

describe.each([
  { file: 'src/index.ts', names: publicNames, load: () => import('../../src/index.js') },
  { file: 'src/standalone.ts', names: standaloneNames, load: () => import('../../src/standalone.js') },
  { file: 'src/testing.ts', names: testingNames, load: () => import('../../src/testing.js') },
])('$file', ({ file, names, load }) => {
  it('exports the public names and no others', () => {
    expect(exportedBy(file)).toEqual(names)
  })

  it('exports by name alone, so that nothing becomes public by accident', () => {
    const other = read(file).match(/^export (?!(?:type )?\{).*$/gm)
    expect(other ?? []).toEqual([])
  })

  it('has every public value at run time, and no other', async () => {
    const module: object = await load()
    const values = names.filter((name) => /^[a-z]/.test(name))
    expect(Object.keys(module).sort()).toEqual(expect.arrayContaining(values))
    expect(names).toEqual(expect.arrayContaining(Object.keys(module)))
  })
})

describe('package.json', () => {
  it('has an entry for each file of public names, with its types first', () => {
    const { exports } = JSON.parse(read('package.json'))
    for (const [path, name] of [
      ['.', 'index'],
      ['./standalone', 'standalone'],
      ['./testing', 'testing'],
    ] as const) {
      expect(Object.entries(exports[path])).toEqual([
        ['types', `./dist/${name}.d.ts`],
        ['default', `./dist/${name}.js`],
      ])
    }
  })
})

describe('the documents', () => {
  const named = new Set([...publicNames, ...standaloneNames, ...testingNames].filter((name) => name !== 'default'))

  it.each([...named])('mention %s', (name) => {
    const mention = new RegExp(`\\b${name}\\b`)
    expect(documents().filter((file) => mention.test(read(file)))).not.toEqual([])
  })
})

/** The names of a file's export lists, types included. */
function exportedBy(file: string): string[] {
  return [...read(file).matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, list = '']) => list.split(','))
    .map((name) =>
      name
        .replace(/^\s*type\s+/, '')
        .replace(/^.*\bas\s+/, '')
        .trim(),
    )
    .filter((name) => name !== '')
    .sort()
}
