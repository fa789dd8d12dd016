import { describe, expect, it } from 'vitest'
import { documents, read } from '../support/markdown.js'

/** The public surface. Adding to it is a minor version, taking from it a major one. */
const publicNames = [
  'AppAudit',
  'AuditEntry',
  'AuditEvent',
  'AuditOptions',
  'AuditSink',
  'AuditSinkUnavailable',
  'AuditStats',
  'BatchError',
  'CaptureOptions',
  'CustomSinkOptions',
  'DeliveryGuarantee',
  'Duration',
  'EventAuth',
  'EventPayload',
  'EventRequest',
  'EventResponse',
  'ExchangeCounts',
  'ExplainOptions',
  'Explanation',
  'FileSinkOptions',
  'FilterExplanation',
  'FilterOptions',
  'FormatFunction',
  'FrameworkErrorsHandler',
  'Identity',
  'IdentityFunction',
  'JsonValue',
  'LevelName',
  'LevelOption',
  'LifecycleDetails',
  'LifecycleEvent',
  'LifecycleType',
  'MemorySink',
  'NamespaceFunction',
  'OmittablePath',
  'RedactOptions',
  'RequestAudit',
  'RouteAudit',
  'RuleOptions',
  'SinkContext',
  'SinkExplanation',
  'SinkLogger',
  'SinkOptions',
  'SinkStats',
  'Size',
  'Stage',
  'StdoutSinkOptions',
  'StreamSinkOptions',
  'WhoCounts',
  'audit',
  'auditFrameworkErrors',
  'default',
  'memorySink',
  'optionsFromNomadStanza',
  'optionsFromRancherEnv',
  'optionsJsonSchema',
  'streamSink',
]

/** The names of the export lists of src/index.ts, types included. */
const exported = [...read('src/index.ts').matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
  .flatMap(([, list = '']) => list.split(','))
  .map((name) =>
    name
      .replace(/^\s*type\s+/, '')
      .replace(/^.*\bas\s+/, '')
      .trim(),
  )
  .filter((name) => name !== '')
  .sort()

describe('src/index.ts', () => {
  it('exports the public names and no others', () => {
    expect(exported).toEqual(publicNames)
  })

  it('exports by name alone, so that nothing becomes public by accident', () => {
    const other = read('src/index.ts').match(/^export (?!(?:type )?\{).*$/gm)
    expect(other ?? []).toEqual([])
  })

  it('has every public value at run time, and no other', async () => {
    const module: object = await import('../../src/index.js')
    expect(publicNames).toEqual(expect.arrayContaining(Object.keys(module)))
    expect(Object.keys(module)).toEqual(expect.arrayContaining(['default']))
  })
})

describe('the documents', () => {
  it.each(publicNames.filter((name) => name !== 'default'))('mention %s', (name) => {
    const mention = new RegExp(`\\b${name}\\b`)
    expect(documents().filter((file) => mention.test(read(file)))).not.toEqual([])
  })
})
