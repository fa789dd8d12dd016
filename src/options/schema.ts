import { z } from 'zod'
import { toLevel } from '../event/level.js'
import type { IdentityFunction, NamespaceFunction, TraceFunction } from '../event/request-functions.js'
import { OMITTABLE } from '../redact/redactor.js'
import { KEY_ID, keyIdProblem } from '../redact/secret.js'
import type { AuditSink } from '../sinks/sink.js'
import { actionsSchema } from './actions.js'
import { combinationProblems, isRecord } from './combinations.js'
import {
  annotationShareProblem,
  capturedHeaderProblem,
  changeShareProblem,
  headerNamesProblem,
  MAX_ANNOTATIONS,
  MAX_CHANGES,
  maxBodyProblem,
  maxListProblem,
  redactKeyProblem,
} from './content-problems.js'
import { filters, level, only, ruleSchema } from './policy-schema.js'
import {
  dataDirProblem,
  filePathProblem,
  formatProblem,
  HEADER_NAME,
  headerProblem,
  instanceProblem,
  modeProblem,
  requestFunctionProblem,
  routeAuditProblem,
  SINK_NAME,
  sinkNameProblem,
  sinkTypeProblem,
} from './problems.js'
import { sealIssues, sealOption } from './seal.js'
import type { FormatFunction } from './types.js'
import {
  choice,
  count,
  duration,
  expected,
  flag,
  list,
  live,
  says,
  secret,
  size,
  strict,
  text,
  timer,
} from './values.js'

// The one source of what options there are, of their defaults, of what is said when they are wrong, and of what they
// come to: durations in milliseconds, sizes in bytes, names of headers in lower case. Checks across options look at
// what was given.

const headerNames = () =>
  list(text('a header', 'content-type', capturedHeaderProblem).meta({ pattern: HEADER_NAME.source }))
    .superRefine(says(headerNamesProblem))
    .transform((names) => names.map((name) => name.toLowerCase()))
    .prefault([])

export const captureSchema = strict('`capture`', {
  maxBodyBytes: size("leaves no room for a body; write a size such as '64KiB', or a `level` below 'request'")
    .prefault('64KiB')
    .superRefine(says(maxBodyProblem)),
  requestHeaders: headerNames(),
  responseHeaders: headerNames(),
  maxAnnotations: count(1)
    .max(MAX_ANNOTATIONS, { error: `is more than a line holds; write at most ${MAX_ANNOTATIONS}` })
    .default(16),
  maxAnnotationBytes: size("leaves no room for an annotation; write a size such as '4KiB'")
    .prefault('4KiB')
    .superRefine(says(maxListProblem)),
  maxChanges: count(1)
    .max(MAX_CHANGES, { error: `is more than a line holds; write at most ${MAX_CHANGES}` })
    .default(64),
  maxChangesBytes: size("leaves no room for a change; write a size such as '8KiB'")
    .prefault('8KiB')
    .superRefine(says(maxListProblem)),
}).superRefine(({ maxAnnotations, maxAnnotationBytes, maxChanges, maxChangesBytes }, context) => {
  const problems = {
    maxAnnotationBytes: annotationShareProblem(maxAnnotations, maxAnnotationBytes),
    maxChangesBytes: changeShareProblem(maxChanges, maxChangesBytes),
  }
  for (const [key, message] of Object.entries(problems)) {
    if (message !== undefined) context.addIssue({ code: 'custom', path: [key], message })
  }
})

export const redactSchema = strict('`redact`', {
  keys: list(text('a key', 'ssn', redactKeyProblem)).default([]),
  mode: choice(['mask', 'hmac']).default('mask'),
  secret: secret().optional(),
  keyId: text('a name', 'k1', keyIdProblem).meta({ pattern: KEY_ID.source }).default('1'),
  omit: list(choice(OMITTABLE)).default([]),
})

/** The schema of a route's `config.audit` that is not a boolean. */
export const routeAuditSchema = strict('`audit: false`, or', {
  level: level().optional(),
  action: text('an action', 'invoice.refund').optional(),
  targets: live<(...values: never[]) => unknown>(requestFunctionProblem).optional(),
}).superRefine(says(routeAuditProblem))

const commonShape = {
  name: text('a name', 'audit', sinkNameProblem).meta({ pattern: SINK_NAME.source }),
  deliveryGuarantee: choice(['enforced', 'best-effort']).default('enforced'),
  format: z
    .union([z.enum(['json', 'rancher']), live<FormatFunction>(formatProblem)], {
      error: ({ input }) => formatProblem(input),
    })
    .default('json'),
  timeout: timer("leaves a batch no time; write a duration such as '10s'").prefault('10s'),
  maxQueue: count(1).default(10_000),
  maxQueueBytes: size("leaves no room for an entry; write a size such as '64MiB'").prefault('64MiB'),
  filters,
  only,
  seal: sealOption,
}

const fileShape = {
  path: text('a path', './data/audit/audit.log', filePathProblem).optional(),
  mode: mode(0o600).default(0o600),
  dirMode: mode(0o700).default(0o700),
  rotateBytes: size().prefault(0),
  rotateDuration: duration().prefault('24h'),
  rotateMaxFiles: count(0).default(0),
  rotateMaxAge: duration().prefault(0),
  rotateMinAge: duration().prefault(0),
  fsync: flag().default(false),
  lockTimeout: timer().prefault('5s'),
}

const onlyForFiles = pointTo(fileShape, "it is for file sinks alone: leave it out, or write `type: 'file'`")

const NOT_BOTH = { sink: 'a sink is given by `type` or as an instance: leave one of the two out' }

export const fileSinkSchema = strict('a sink', { ...commonShape, type: z.literal('file'), ...fileShape }, NOT_BOTH)

export const stdoutSinkSchema = strict(
  'a sink',
  { ...commonShape, type: z.literal('stdout') },
  { ...onlyForFiles, ...NOT_BOTH },
)

export const customSinkSchema = strict(
  'a sink',
  { ...commonShape, type: z.undefined().optional(), sink: live<AuditSink>(instanceProblem) },
  onlyForFiles,
)

export const sinkSchema = z.discriminatedUnion('type', [fileSinkSchema, stdoutSinkSchema, customSinkSchema], {
  error: ({ code, input }) =>
    code === 'invalid_union'
      ? sinkTypeProblem(typeOf(input))
      : "is not an object; write a sink as { name, type: 'file' }",
})

/** Where the options of a sink belong if they are found beside `sinks`. */
export const OF_SINKS: Readonly<Record<string, string>> = {
  ...pointTo(commonShape, 'it belongs to a sink: write it in `sinks`'),
  ...pointTo(fileShape, 'it belongs to a file sink: write it in `sinks`'),
}

export const optionsSchema = strict(
  'options',
  {
    enabled: flag().default(true),
    dataDir: text('a directory', './data', dataDirProblem).default('./data'),
    scope: choice(['root', 'plugin']).default('root'),
    sinks: list(
      sinkSchema,
      'so nothing would be recorded; leave it out for the default file, or write `enabled: false`',
    ).prefault([{ name: 'audit', type: 'file' }]),
    filters,
    level: level().transform(toLevel).prefault('metadata'),
    rules: list(ruleSchema).default([]),
    actions: actionsSchema.optional(),
    capture: captureSchema.prefault({}),
    redact: redactSchema.transform((redact) => ({ secret: undefined, ...redact })).prefault({}),
    identity: live<IdentityFunction>(requestFunctionProblem).optional(),
    namespace: live<NamespaceFunction>(requestFunctionProblem).optional(),
    trace: live<TraceFunction>(requestFunctionProblem).optional(),
    auditIdHeader: z
      .union(
        [z.literal(false), z.string().meta({ pattern: HEADER_NAME.source })],
        expected('a header', "write its name, such as 'x-audit-id', or false"),
      )
      .superRefine(says((header) => (header === false ? undefined : headerProblem(header))))
      .transform((header) => (header === false ? header : header.toLowerCase()))
      .prefault(false),
    closeTimeout: timer().prefault('10s'),
    abortTimeout: timer().prefault('30s'),
    openTimeout: timer("leaves no time to open a sink; write a duration such as '8s'").prefault('8s'),
  },
  OF_SINKS,
)

/** Returns every mistake in the options, where zod alone would stop half-way. */
export function issuesOf(options: unknown, found: readonly z.core.$ZodIssue[] = []): z.core.$ZodIssue[] {
  const combined = combinationProblems(options).map((problem) => ({
    code: 'custom' as const,
    input: undefined,
    ...problem,
  }))
  return bareInstances(options).reduce(replaceIssues, sealIssues([...found, ...untypedIssues(options), ...combined]))
}

/** Finds instances in the place of a sink's options: each of their fields would be reported as an unknown key. */
function bareInstances(options: unknown): number[] {
  if (!isRecord(options) || !Array.isArray(options.sinks)) return []
  const sinks: unknown[] = options.sinks
  return sinks.flatMap((sink, index) => (isRecord(sink) && 'write' in sink && !('sink' in sink) ? [index] : []))
}

function replaceIssues(issues: z.core.$ZodIssue[], index: number): z.core.$ZodIssue[] {
  const others = issues.filter(({ path }) => path[0] !== 'sinks' || path[1] !== index)
  const message = "is a sink's instance, without its options; write `{ name: 'test', sink: … }`"
  return [...others, { code: 'custom', input: undefined, path: ['sinks', index], message }]
}

/** Finds further mistakes of a sink whose type does not exist: zod stops at the type. */
function untypedIssues(options: unknown): z.core.$ZodIssue[] {
  if (!isRecord(options) || !Array.isArray(options.sinks)) return []
  return options.sinks.flatMap((sink: unknown, index) => {
    if (!isRecord(sink) || sink.type === undefined || sink.type === 'file' || sink.type === 'stdout') return []
    const { type, ...others } = sink
    const parsed =
      'sink' in sink ? customSinkSchema.safeParse(others) : fileSinkSchema.safeParse({ ...others, type: 'file' })
    return (parsed.error?.issues ?? []).map((issue) => ({ ...issue, path: ['sinks', index, ...issue.path] }))
  })
}

/** A file mode that leaves its owner in control. */
function mode(owner: number) {
  return z
    .int(expected('a file mode', `write an octal number such as 0o${owner.toString(8)}`))
    .superRefine(says((value) => modeProblem(value, owner)))
    .meta({ minimum: owner, maximum: 0o777 })
}

function pointTo(shape: object, where: string): Record<string, string> {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, where]))
}

function typeOf(sink: unknown): unknown {
  return typeof sink === 'object' && sink !== null ? Reflect.get(sink, 'type') : undefined
}
