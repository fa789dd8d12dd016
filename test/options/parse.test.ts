import { resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { z } from 'zod'
import {
  type AuditOptions,
  type CustomSinkOptions,
  type FileSinkOptions,
  type OptionMistake,
  optionWarnings,
  parseOptions,
  type ResolvedSink,
  type StdoutSinkOptions,
} from '../../src/options/parse.js'
import type { filterSchema, ruleSchema, selectorSchema } from '../../src/options/policy-schema.js'
import type { customSinkSchema, fileSinkSchema, optionsSchema, stdoutSinkSchema } from '../../src/options/schema.js'
import type { FilterOptions } from '../../src/policy/filter-options.js'
import type { RuleOptions } from '../../src/policy/rules.js'
import type { SelectorOptions } from '../../src/policy/selection.js'
import { memorySink } from '../../src/sinks/memory.js'
import type { AuditSink } from '../../src/sinks/sink.js'

const sink: AuditSink = { async write() {} }
const file = { name: 'a', type: 'file', path: './a.log' }

function failure(options: unknown): Error & { code: string; mistakes: OptionMistake[] } {
  try {
    parseOptions(options)
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'mistakes' in error) {
      return Object.assign(error, { code: String(error.code), mistakes: [error.mistakes].flat() as OptionMistake[] })
    }
    throw error
  }
  throw new Error('The options were accepted.')
}

/** The lines of the message, without its first. */
function lines(options: unknown): string[] {
  return failure(options).message.split('\n').slice(1)
}

function resolvedFile(options: object = {}): ResolvedSink & { type: 'file' } {
  const [resolved] = parseOptions({ sinks: [{ ...file, ...options }] }).sinks
  if (resolved?.type !== 'file') throw new Error('It is not a file sink.')
  return resolved
}

describe('the types', () => {
  it('are those of the schema', () => {
    expectTypeOf<AuditOptions>().toEqualTypeOf<z.input<typeof optionsSchema>>()
    expectTypeOf<FileSinkOptions>().toEqualTypeOf<z.input<typeof fileSinkSchema>>()
    expectTypeOf<StdoutSinkOptions>().toEqualTypeOf<z.input<typeof stdoutSinkSchema>>()
    expectTypeOf<CustomSinkOptions>().toEqualTypeOf<z.input<typeof customSinkSchema>>()
    expectTypeOf<FilterOptions>().toEqualTypeOf<z.input<typeof filterSchema>>()
    expectTypeOf<RuleOptions>().toEqualTypeOf<z.input<typeof ruleSchema>>()
    expectTypeOf<SelectorOptions>().toEqualTypeOf<z.input<typeof selectorSchema>>()
  })

  it('refuse what the schema refuses', () => {
    expectTypeOf<{ name: string; type: 'stdot' }>().not.toExtend<NonNullable<AuditOptions['sinks']>[number]>()
    expectTypeOf<{ timeout: 5 }>().not.toExtend<Pick<FileSinkOptions, 'timeout'>>()
    expectTypeOf<{ identity: () => Promise<undefined> }>().not.toExtend<AuditOptions>()
  })
})

describe('options that are right', () => {
  it('default to one enforced file that is rotated daily and never deleted', () => {
    const defaults = {
      enabled: true,
      scope: 'root',
      filters: [],
      level: 1,
      rules: [],
      capture: {
        maxBodyBytes: 64 * 1024,
        requestHeaders: [],
        responseHeaders: [],
        maxAnnotations: 16,
        maxAnnotationBytes: 4096,
        maxChanges: 64,
        maxChangesBytes: 8192,
      },
      redact: { keys: [], mode: 'mask', secret: undefined, keyId: '1', omit: [] },
      auditIdHeader: false,
      closeTimeout: 10_000,
      abortTimeout: 30_000,
      openTimeout: 8_000,
      sinks: [
        {
          name: 'audit',
          type: 'file',
          deliveryGuarantee: 'enforced',
          format: 'json',
          timeout: 10_000,
          maxQueue: 10_000,
          maxQueueBytes: 64 * 1024 ** 2,
          filters: [],
          seal: null,
          path: resolve('data/audit/audit.log'),
          mode: 0o600,
          dirMode: 0o700,
          rotateBytes: 0,
          rotateDuration: 86_400_000,
          rotateMaxFiles: 0,
          rotateMaxAge: 0,
          rotateMinAge: 0,
          fsync: false,
          lockTimeout: 5_000,
        },
      ],
    }
    expect(parseOptions({})).toEqual(defaults)
    expect(parseOptions(undefined)).toEqual(defaults)
    expect(parseOptions({ sinks: undefined, closeTimeout: undefined, filters: undefined, dataDir: undefined })).toEqual(
      defaults,
    )
  })

  it.each([
    [{ maxAnnotations: 0 }, 'capture.maxAnnotations: 0 is too small; write a whole number from 1 on'],
    [{ maxAnnotations: 1001 }, 'capture.maxAnnotations: 1001 is more than a line holds; write at most 1000'],
    [
      { maxAnnotationBytes: '2MiB' },
      'capture.maxAnnotationBytes: "2MiB" is more than a line holds of them; write at most \'1MiB\'',
    ],
    [
      { maxAnnotations: 100 },
      'capture.maxAnnotationBytes is too small for 100 keys; write at least 6400, or fewer `maxAnnotations`',
    ],
    [{ maxChanges: 0 }, 'capture.maxChanges: 0 is too small; write a whole number from 1 on'],
    [{ maxChanges: 257 }, 'capture.maxChanges: 257 is more than a line holds; write at most 256'],
    [
      { maxChangesBytes: '2MiB' },
      'capture.maxChangesBytes: "2MiB" is more than a line holds of them; write at most \'1MiB\'',
    ],
    [
      { maxChanges: 200 },
      'capture.maxChangesBytes is too small for 200 changes; write at least 12800, or fewer `maxChanges`',
    ],
  ])('leave annotations and changes room: not %j', (capture, message) => {
    expect(() => parseOptions({ capture })).toThrow(message)
  })

  it.each(['[data_dir]/audit/audit.log', '<dataDir>/audit/audit.log', '$DATA_DIR/audit.log'])(
    'have no path that stands for another: %s',
    (path) => {
      expect(() => parseOptions({ sinks: [{ name: 'audit', type: 'file', path }] })).toThrow(
        'leave `path` out for the default below `dataDir`',
      )
    },
  )

  it('are resolved: durations in ms, sizes in bytes, paths absolute, the header in lower case', () => {
    const identity = () => ({ accessorId: 'u-1' })
    const namespace = () => 'default'
    const format = () => ''
    const reads = { name: 'reads', endpoints: ['*'], stages: ['OperationReceived'], operations: ['{GET,HEAD}'] }
    const resolved = parseOptions({
      enabled: false,
      dataDir: '/var/lib/app',
      scope: 'plugin',
      identity,
      namespace,
      auditIdHeader: 'X-Audit-Id',
      closeTimeout: '1m',
      abortTimeout: 0,
      openTimeout: '500ms',
      filters: [{ ...reads, type: 'HTTPEvent' }],
      sinks: [
        {
          name: 'file',
          type: 'file',
          rotateBytes: '100MiB',
          rotateDuration: 0,
          rotateMaxFiles: 7,
          rotateMaxAge: '720h',
        },
        { name: 'out', type: 'stdout', deliveryGuarantee: 'best-effort', format, timeout: '1.5s', filters: [reads] },
        { name: 'memory', sink, maxQueue: 1, maxQueueBytes: 1024 },
      ],
    })
    expect(resolved).toMatchObject({
      enabled: false,
      scope: 'plugin',
      auditIdHeader: 'x-audit-id',
      closeTimeout: 60_000,
      abortTimeout: 0,
      openTimeout: 500,
      filters: [{ ...reads, type: 'HTTPEvent' }],
    })
    expect(resolved.identity).toBe(identity)
    expect(resolved.namespace).toBe(namespace)
    const [first, second, third] = resolved.sinks
    expect(first).toMatchObject({
      type: 'file',
      path: resolve('/var/lib/app/audit/audit.log'),
      rotateBytes: 104_857_600,
      rotateDuration: 0,
      rotateMaxFiles: 7,
      rotateMaxAge: 2_592_000_000,
    })
    expect(second).toMatchObject({
      type: 'stdout',
      deliveryGuarantee: 'best-effort',
      format,
      timeout: 1500,
      filters: [reads],
    })
    expect(second).not.toHaveProperty('file')
    expect(third).toMatchObject({ type: 'custom', maxQueue: 1, maxQueueBytes: 1024 })
    expect(third?.type === 'custom' && third.sink).toBe(sink)
  })

  it('keep {slot} and {hostname} in a path, and the directory that a path names', () => {
    expect(resolvedFile({ path: './logs/{hostname}/audit-{slot}.log' }).path).toBe(
      resolve('logs/{hostname}/audit-{slot}.log'),
    )
  })
})

describe('options that are wrong', () => {
  it('are reported all at once, each with its path, its value and what would be right', () => {
    const error = failure({
      enabled: 'yes',
      sinks: [
        { name: 'a', type: 'fil', rotateDuration: '1 day', tpye: 'file' },
        { name: 'a', type: 'stdout', rotateBytes: '10MB', deliveryGuarantee: 'best-efort' },
        {
          name: 'b',
          type: 'file',
          path: './x.log',
          filters: [{ endpoints: ['/x/:id'], stages: [], operations: ['get'] }],
        },
        { name: 'c', type: 'file', path: 'x.log', timeout: 5 },
        { name: 'd', sink: {} },
      ],
      regulations: [],
    })
    expect(error.code).toBe('FST_AUDIT_INVALID_OPTIONS')
    expect(error.message.split('\n')).toEqual([
      'The options of fastify-audit-log are not valid:',
      '- enabled: "yes" is not a boolean; write true or false',
      `- sinks[0].type: "fil" is not a type of sink; did you mean 'file'?`,
      `- sinks[1].deliveryGuarantee: "best-efort" is not 'enforced' or 'best-effort'; did you mean 'best-effort'?`,
      '- sinks[1].rotateBytes: "10MB" is not an option here; it is for file sinks alone: leave it out, or write `type: \'file\'`',
      '- sinks[2].filters[0].endpoints[0]: "/x/:id" is a route pattern, but endpoints are matched with the URL; write "*" for the parameter: "/x/*"',
      "- sinks[2].filters[0].stages: [] is empty, which no event matches, so the filter would exclude nothing; write ['*'] for both stages",
      '- sinks[2].filters[0].operations[0]: "get" is not in upper case, as methods are, so it would match none; write "GET"',
      "- sinks[3].timeout: 5 is not a duration: a number has no unit; write '5ms' if milliseconds are meant, or '5s' for seconds",
      '- sinks[4].sink: {} has no `write` method; an AuditSink stores a batch in `async write(batch) { … }`',
      '- regulations: [] is not an option; there are enabled, dataDir, scope, sinks, filters, level, rules, actions, capture, redact, identity, namespace, trace, auditIdHeader, closeTimeout, abortTimeout, openTimeout',
      '- sinks[0].rotateDuration: "1 day" is not a duration: there is no unit for days; write \'24h\'',
      '- sinks[0].tpye: "file" is not an option; did you mean `type`?',
      '- sinks[1].name: "a" is the name of sinks[0] too; give each sink a name of its own',
      `- sinks[3].path: "x.log" is the file of sinks[2] too (${resolve('x.log')}); give each sink a file of its own`,
    ])
    expect(error.mistakes).toHaveLength(14)
    expect(error.mistakes[0]).toEqual({
      path: 'enabled',
      value: '"yes"',
      message: 'is not a boolean; write true or false',
    })
  })

  it.each<[string, unknown, string]>([
    ['no object', null, '- options: null is not an object'],
    ['a list', [], '- options: [] is not an object'],
    ['a text', 'audit.log', '- options: "audit.log" is not an object'],
    ['no sink', { sinks: [] }, '- sinks: [] is empty, so nothing would be recorded; leave it out for the default file'],
    ['sinks that are no list', { sinks: {} }, '- sinks: {} is not a list; write [ … ]'],
    ['a sink that is no object', { sinks: ['file'] }, '- sinks[0]: "file" is not an object; write a sink as'],
    ['a dataDir of nothing', { dataDir: '' }, '- dataDir: "" is empty'],
    [
      'a pattern for a key',
      { redact: { keys: ['*iban*'] } },
      '- redact.keys[0]: "*iban*" is a pattern, and keys are compared as a whole; write each name',
    ],
    [
      'a scope with a typo',
      { scope: 'plug-in' },
      "- scope: \"plug-in\" is not 'root' or 'plugin'; did you mean 'plugin'?",
    ],
    ['another scope', { scope: 7 }, "- scope: 7 is not 'root' or 'plugin'"],
    [
      'a sink option at the top',
      { rotateBytes: 1 },
      '- rotateBytes: 1 is not an option here; it belongs to a file sink',
    ],
    ['a guarantee at the top', { deliveryGuarantee: 'enforced' }, 'it belongs to a sink: write it in `sinks`'],
    ['snake case', { close_timeout: '1s' }, '- close_timeout: "1s" is not an option; did you mean `closeTimeout`?'],
    ['a header with a space', { auditIdHeader: 'audit id' }, '- auditIdHeader: "audit id" is not a header\'s name'],
    [
      'a header of HTTP',
      { auditIdHeader: 'Content-Length' },
      '- auditIdHeader: "Content-Length" is a header that HTTP',
    ],
    ['a header of nothing', { auditIdHeader: '' }, '- auditIdHeader: "" is not a header\'s name'],
    ['a header with a line break', { auditIdHeader: 'x\r\ny' }, '- auditIdHeader: "x\\r\\ny" is not a header\'s name'],
    [
      'true for a header',
      { auditIdHeader: true },
      "- auditIdHeader: true is not a header; write its name, such as 'x-audit-id'",
    ],
    ['an identity that is no function', { identity: {} }, '- identity: {} is not a function'],
    ['an async identity', { identity: async () => undefined }, '- identity: a function is async'],
    ['an async namespace', { namespace: async () => 'x' }, '- namespace: a function is async'],
    [
      'a duration without a unit',
      { closeTimeout: '10' },
      '- closeTimeout: "10" is not a duration: the unit is missing; write \'10s\'',
    ],
    [
      'a timer that setTimeout cannot wait',
      { abortTimeout: '597h' },
      '- abortTimeout: "597h" is longer than a timer can wait',
    ],
    ['no time to open', { openTimeout: 0 }, '- openTimeout: 0 leaves no time to open a sink'],
    ['a duration of no kind', { openTimeout: true }, '- openTimeout: true is not a duration: write'],
  ])('%s', (_, options, line) => {
    expect(lines(options)).toEqual([expect.stringContaining(line)])
  })

  it.each<[string, object, string]>([
    ['a name of nothing', { name: '' }, `name: "" is not a sink's name`],
    ['no name', { name: undefined }, 'name is missing; write it as a string'],
    ['a name with a space', { name: 'my sink' }, `name: "my sink" is not a sink's name`],
    ['a format that does not exist', { format: 'xml' }, `format: "xml" is not a format; write 'json' or 'rancher'`],
    ['an async format', { format: async () => '' }, 'format: a function is async'],
    ['no time for a batch', { timeout: '0s' }, 'timeout: "0s" leaves a batch no time'],
    ['a queue of nothing', { maxQueue: 0 }, 'maxQueue: 0 is too small; write a whole number from 1 on'],
    ['half an entry', { maxQueue: 1.5 }, 'maxQueue: 1.5 is not a whole number'],
    ['no room', { maxQueueBytes: '0K' }, 'maxQueueBytes: "0K" leaves no room for an entry'],
    [
      'a size that is none',
      { maxQueueBytes: '10mb' },
      `maxQueueBytes: "10mb" is not a size: units are written exactly; write '10MB'`,
    ],
    ['a size of no kind', { rotateBytes: {} }, 'rotateBytes: {} is not a size: write bytes as a number'],
    ['a size below 0', { rotateBytes: -1 }, 'rotateBytes: -1 is not a size: write bytes as a number'],
    ['a path of nothing', { path: '' }, `path: "" is empty; write a file's path`],
    ['a path with U+0000', { path: 'a\0b' }, 'path: "a\\u0000b" has a U+0000'],
    ['a directory', { path: './logs/' }, `path: "./logs/" is a directory's path; add the file's name`],
    ['this directory', { path: '..' }, `path: ".." is a directory's path`],
    ['an unknown placeholder', { path: './{pid}.log' }, `path: "./{pid}.log" has '{pid}'; in braces there can be`],
    ['a placeholder cut short', { path: './{slot.log' }, `path: "./{slot.log" has '{slot.log'`],
    [
      'a mode in decimal',
      { mode: 640 },
      'mode: 640 is 0o1200 in octal, no mode that leaves the owner in control; write 0o640',
    ],
    ['a mode that locks its owner out', { mode: 0o400 }, 'mode: 256 is 0o400 in octal'],
    ['a mode below 0', { mode: -1 }, 'mode: -1 is 0o-1 in octal'],
    ['a mode as text', { mode: '0600' }, 'mode: "0600" is not a file mode; write an octal number such as 0o600'],
    ['a directory nobody can enter', { dirMode: 0o600 }, 'dirMode: 384 is 0o600 in octal'],
    ['a negative count', { rotateMaxFiles: -1 }, 'rotateMaxFiles: -1 is too small; write a whole number from 0 on'],
    ['a flag as text', { fsync: 'true' }, 'fsync: "true" is not a boolean'],
    [
      'retention that cannot work',
      { rotateMaxAge: '1h', rotateMinAge: '90m' },
      'rotateMaxAge: "1h" is shorter than `rotateMinAge`',
    ],
    [
      'a type and an instance',
      { sink },
      'sink: { write: a function } is not an option here; a sink is given by `type` or as an instance',
    ],
    [
      'a type that does not exist',
      { type: 'memory' },
      "type: \"memory\" is not a type of sink; write 'file' or 'stdout', or give an instance",
    ],
    ['filters that are no list', { filters: {} }, 'filters: {} is not a list'],
  ])('in a sink: %s', (_, options, line) => {
    expect(lines({ sinks: [{ ...file, ...options }] })).toEqual([expect.stringContaining(`- sinks[0].${line}`)])
  })

  it.each<[string, unknown, string]>([
    ['nothing', undefined, "is missing; write `type: 'file'` or `type: 'stdout'`, or give an instance"],
    ['null', null, ': null is not a sink'],
    ['a factory that was not called', () => sink, ': a function is not a sink; call it'],
    ['no write', { open() {} }, ': { open: a function } has no `write` method'],
    ['a stream', new PassThrough(), ': an instance of PassThrough is a stream; write `sink: streamSink(stream)`'],
    [
      'a close that is no method',
      { write() {}, close: true },
      ': { write: a function, close: true } has a `close` that is not a method',
    ],
  ])('an instance: %s', (_, instance, line) => {
    expect(lines({ sinks: [{ name: 'a', sink: instance }] })).toEqual([
      expect.stringContaining(`- sinks[0].sink${line.startsWith(':') ? '' : ' '}${line}`),
    ])
  })

  it.each<[string, object, string]>([
    ['no endpoints', { endpoints: undefined }, "endpoints is missing; write a list, such as ['*']"],
    [
      'empty endpoints',
      { endpoints: [] },
      'endpoints: [] is empty, which no event matches, so the filter would exclude nothing',
    ],
    ['empty stages', { stages: [] }, 'stages: [] is empty'],
    ['empty operations', { operations: [] }, 'operations: [] is empty'],
    ['an operation that is no list', { operations: 'GET' }, 'operations: "GET" is not a list; write ["GET"]'],
    [
      'an operation in lower case',
      { operations: ['{GET,head}'] },
      'operations[0]: "{GET,head}" is not in upper case, as methods are, so it would match none; write "{GET,HEAD}"',
    ],
    ['an operation of nothing', { operations: [''] }, 'operations[0]: "" is empty and matches no method'],
    ['a brace group of one', { operations: ['{GET}'] }, 'operations[0]: "{GET}" has a brace group'],
    ['a route pattern', { endpoints: ['/v1/*', '/v1/:id'] }, 'endpoints[1]: "/v1/:id" is a route pattern'],
    ['an endpoint of nothing', { endpoints: [''] }, 'endpoints[0]: "" is empty'],
    ['an endpoint that is no text', { endpoints: [/health/] }, 'endpoints[0]: an instance of RegExp is not a path'],
    [
      'a stage with a typo',
      { stages: ['OperationRecieved'] },
      "stages[0]: \"OperationRecieved\" is not 'OperationReceived', 'OperationComplete' or '*'; did you mean 'OperationReceived'?",
    ],
    ['another type of event', { type: 'FileEvent' }, `type: "FileEvent" is not 'HTTPEvent' or 'ActionEvent'`],
    [
      'a type with a typo',
      { type: 'HttpEvents' },
      `type: "HttpEvents" is not 'HTTPEvent' or 'ActionEvent'; did you mean 'HTTPEvent'?`,
    ],
    [
      'empty actors',
      { actors: [] },
      'actors: [] is empty, which no event matches, so the filter would exclude nothing; leave it out',
    ],
    ...['actions', 'targets', 'outcomes'].map((key): [string, object, string] => [
      `${key} without the type`,
      { [key]: ['x'] },
      `${key}: ["x"] is not an option here; it is for actions beside requests: write \`type: 'ActionEvent'\`, or leave it out`,
    ]),
    ['an unknown key', { endpoint: ['*'] }, 'endpoint: ["*"] is not an option; did you mean `endpoints`?'],
  ])('in a filter: %s', (_, options, line) => {
    const filter = { endpoints: ['*'], stages: ['*'], operations: ['*'], ...options }
    expect(lines({ filters: [filter] })).toEqual([expect.stringContaining(`- filters[0].${line}`)])
    expect(lines({ sinks: [{ ...file, filters: [filter] }] })).toEqual([
      expect.stringContaining(`- sinks[0].filters[0].${line}`),
    ])
  })

  it.each<[string, object, string]>([
    ['no actions', { actions: undefined }, "actions is missing; write a list, such as ['*']"],
    [
      'empty actions',
      { actions: [] },
      "actions: [] is empty, which no event matches, so the filter would exclude nothing; write ['*']",
    ],
    ['empty targets', { targets: [] }, 'targets: [] is empty, which no event matches'],
    ['an action of nothing', { actions: [''] }, 'actions[0]: "" is empty and matches nothing'],
    [
      'another outcome',
      { outcomes: ['succes'] },
      "outcomes[0]: \"succes\" is not 'success', 'failure' or 'denied'; did you mean 'success'?",
    ],
    [
      'outcomes of a stage that has none',
      { outcomes: ['success'], stages: ['OperationReceived'] },
      'outcomes: ["success"] is given, but OperationReceived has no outcome; write `stages: [\'OperationComplete\']`',
    ],
    ...['endpoints', 'operations', 'statuses'].map((key): [string, object, string] => [
      `${key} of requests`,
      { [key]: ['X'] },
      `${key}: ["X"] is not an option here; an action beside requests has none: leave it out, or leave out \`type: 'ActionEvent'\``,
    ]),
  ])('in a filter of actions: %s', (_, options, line) => {
    const filter = { type: 'ActionEvent', actions: ['*'], ...options }
    expect(lines({ filters: [filter] })).toEqual([expect.stringContaining(`- filters[0].${line}`)])
  })

  it.each<[string, unknown, string]>([
    ['no selector', [], ': [] is empty, which selects nothing, so the sink would record nothing; leave it out'],
    ['a selector that is no list of them', {}, ': {} is not a list; write [ … ]'],
    ['a selector of nothing', [{}], '[0]: {} has no list, and would select everything; write one such as'],
    ['an empty list', [{ actions: [] }], '[0].actions: [] is empty, which nothing matches'],
    ['an unknown key', [{ action: ['x'] }], '[0].action: ["x"] is not an option; did you mean `actions`?'],
    ['a status that is none', [{ statuses: ['9xx'] }], '[0].statuses[0]: "9xx" is not a status'],
    ['braces that are not sound', [{ actors: ['{a'] }], '[0].actors[0]: "{a" has a "{" without its "}"'],
  ])('in `only`: %s', (_, only, line) => {
    expect(lines({ sinks: [{ ...file, only }] })).toEqual([expect.stringContaining(`- sinks[0].only${line}`)])
  })

  it('two sinks on one file, however its path is written', () => {
    const second = { name: 'b', type: 'file', path: resolve('data/../data/audit/audit.log') }
    const first = { name: 'a', type: 'file', path: 'data/audit/audit.log' }
    expect(lines({ sinks: [first, second] })).toEqual([expect.stringContaining('- sinks[1].path: "/')])
    expect(lines({ sinks: [first, second] })[0]).toContain(
      `is the file of sinks[0] too (${resolve('data/audit/audit.log')})`,
    )
  })

  it('a second file sink without a path: neither gets the default one', () => {
    const sinks = [
      { name: 'a', type: 'file' },
      { name: 'b', type: 'file', path: './b.log' },
      { name: 'c', type: 'stdout' },
    ]
    expect(lines({ sinks })).toEqual([expect.stringContaining('- sinks[0].path is missing; only a single file sink')])
    expect(parseOptions({ sinks: [sinks[0], sinks[2]] }).sinks).toHaveLength(2)
  })

  it("a sink's instance without its options, once, and not each of its fields", () => {
    expect(lines({ sinks: [memorySink(), { name: 'b', sink, fsnc: true }] })).toEqual([
      expect.stringContaining('fsnc'),
      expect.stringContaining("is a sink's instance, without its options; write `{ name: 'test', sink: … }`"),
    ])
  })

  it('one instance in two sinks, whose calls would overlap', () => {
    const sinks = [
      { name: 'a', sink },
      { name: 'b', sink },
    ]
    expect(lines({ sinks })).toEqual([
      expect.stringContaining('- sinks[1].sink: { write: a function } is the instance of sinks[0] too'),
    ])
  })

  it('everything else that is wrong with a sink without a type', () => {
    expect(lines({ sinks: [{ name: 'a', path: './a.log', maxQueue: 0 }] })).toEqual([
      expect.stringContaining('maxQueue: 0 is too small'),
      expect.stringContaining("sinks[0].sink is missing; write `type: 'file'`"),
      expect.stringContaining('path: "./a.log" is not an option here; it is for file sinks alone'),
    ])
  })

  it('values are shown short, on one line, and without secrets', () => {
    const [token, text, deep, wide, key] = lines({
      connection: { mode: 'tls', secret: 'hunter2', nested: { apiKey: 'hunter2', password: ['hunter2'] } },
      x: `line\nbreak ${'y'.repeat(10_000)}`,
      deep: { a: { b: { c: 1 } } },
      wide: Array.from({ length: 1000 }, (_, index) => index),
      [`k\n${'k'.repeat(1000)}`]: [1n, Symbol('s'), new Map(), undefined],
    })
    expect(token).toMatch(
      /^- connection: \{ mode: "tls", secret: \(hidden string\), nested: \{ apiKey: \(hidden string\), password: \(hidden list\) \} \} /,
    )
    expect(text).toMatch(/^- x: "line\\nbreak y{69}…" is not an option/)
    expect(deep).toMatch(/^- deep: \{ a: \{ b: \{…\} \} \} /)
    expect(wide).toMatch(/^- wide: \[0, 1, 2, 3, … 996 more\] /)
    expect(key).toMatch(/^- \["k\\nk{78}…"\]: \[1n, a symbol, an instance of Map, undefined\] /)
  })

  it('options in another spelling are recognized', () => {
    expect(lines({ sinks: [{ ...file, __rotate_max_files: 1, 'Rotate-Min-Age': '1h', fsinc: true }] })).toEqual([
      expect.stringMatching(/^- sinks\[0\]\.__rotate_max_files: 1 .* `rotateMaxFiles`\?$/),
      expect.stringMatching(/^- sinks\[0\]\["Rotate-Min-Age"\]: "1h" .* `rotateMinAge`\?$/),
      expect.stringMatching(/^- sinks\[0\]\.fsinc: true .* `fsync`\?$/),
    ])
  })

  it('one that quotes a pattern is short, and on one line', () => {
    const [line, ...others] = lines({
      filters: [{ endpoints: [`/:id/\n${'x'.repeat(4000)}`], stages: ['*'], operations: ['*'] }],
    })
    expect(line?.length).toBeLessThan(700)
    expect(line).toContain('is a route pattern')
    expect(others).toEqual([])
    expect(lines({ filters: [{ endpoints: ['/a\n/:id'], stages: ['*'], operations: ['*'] }] })).toHaveLength(1)
  })

  it('a thousand of them, and one for their number, end in a count, and are all in `mistakes`', () => {
    const error = failure({ sinks: Array.from({ length: 1000 }, () => 0) })
    expect(error.mistakes).toHaveLength(1001)
    expect(error.message.split('\n')).toHaveLength(52)
    expect(error.message).toMatch(/\n- and 951 more$/)
  })
})

describe('optionWarnings', () => {
  const warnings = (options: object) => optionWarnings(parseOptions({ sinks: [{ ...file, ...options }] }))

  it('has nothing to say of the defaults, or of sinks that are no files', () => {
    expect(optionWarnings(parseOptions({}))).toEqual([])
    expect(
      optionWarnings(
        parseOptions({
          sinks: [
            { name: 'a', sink },
            { name: 'b', type: 'stdout' },
          ],
        }),
      ),
    ).toEqual([])
  })

  it('warns of deletion by count without `rotateMinAge`', () => {
    expect(warnings({ rotateMaxFiles: 7 })).toEqual([
      expect.stringMatching(/^sinks\[0\]\.rotateMaxFiles: 7 deletes .* set `rotateMinAge`/),
    ])
    expect(warnings({ rotateMaxFiles: 7, rotateMinAge: '24h' })).toEqual([])
    expect(warnings({ rotateMaxAge: '24h' })).toEqual([])
  })

  it('warns of deletion without rotation', () => {
    expect(warnings({ rotateMaxAge: '24h', rotateDuration: 0 })).toEqual([
      expect.stringContaining('none is ever rotated'),
    ])
    expect(warnings({ rotateMaxAge: '24h', rotateDuration: 0, rotateBytes: '1MiB' })).toEqual([])
  })
})
