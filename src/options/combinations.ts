import { resolve } from 'node:path'
import { AuditInvalidUnit } from '../errors.js'
import { parseDuration } from '../units.js'
import { dataDirProblem, filePathProblem, missing, type Problem } from './problems.js'
import { sealProblems } from './seal.js'

// Checks across options that may each be right. They get options that may be wrong in themselves, so that every mistake
// is found at once.

export const DEFAULT_DATA_DIR = './data'

export function defaultPath(dataDir: string): string {
  return resolve(dataDir, 'audit', 'audit.log')
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The exclusions of a request are one number of 32 bits, two bits for each sink. */
export const MAX_SINKS = 15

/** Finds what is wrong between options that may each be right. */
export function combinationProblems(options: unknown): Problem[] {
  if (!isRecord(options)) return []
  return [
    ...filterProblems(options.filters, ['filters']),
    ...redactProblems(options.redact),
    ...(Array.isArray(options.sinks) ? sinkProblems(options.sinks, options.dataDir) : []),
  ]
}

/** A filter by status or outcome can only look at what has one. */
function filterProblems(filters: unknown, path: Problem['path']): Problem[] {
  if (!Array.isArray(filters)) return []
  return filters.flatMap((filter: unknown, index) => {
    if (!isRecord(filter) || !Array.isArray(filter.stages)) return []
    const [list, what] = filter.type === 'ActionEvent' ? ['outcomes', 'outcome'] : ['statuses', 'status']
    if (filter[list] === undefined || filter.stages.length === 0) return []
    if (!filter.stages.every((stage) => stage === 'OperationReceived')) return []
    const message = `is given, but OperationReceived has no ${what}; write \`stages: ['OperationComplete']\``
    return [{ path: [...path, index, list], message }]
  })
}

/** A selector without a list would select everything, which is hardly what a sink with `only` is for. */
function onlyProblems(only: unknown, path: Problem['path']): Problem[] {
  if (!Array.isArray(only)) return []
  return only.flatMap((selector: unknown, index) => {
    if (!isRecord(selector) || Object.values(selector).some((list) => list !== undefined)) return []
    const message =
      "has no list, and would select everything; write one such as { namespaces: ['acme'] }, or leave `only` out"
    return [{ path: [...path, index], message }]
  })
}

function redactProblems(redact: unknown): Problem[] {
  if (!isRecord(redact)) return []
  const { mode, secret } = redact
  if (mode === 'hmac' && secret === undefined) {
    return [
      { path: ['redact', 'secret'], message: missing("mode 'hmac' hashes under it: write at least 32 random bytes") },
    ]
  }
  if (secret !== undefined && (mode === undefined || mode === 'mask')) {
    return [{ path: ['redact', 'secret'], message: "has no use in mode 'mask'; write `mode: 'hmac'`, or leave it out" }]
  }
  return []
}

function sinkProblems(sinks: readonly unknown[], dataDir: unknown): Problem[] {
  const files = filesOf(sinks, dataDir)
  return [
    ...sinks.slice(MAX_SINKS, MAX_SINKS + 1).map(tooMany),
    ...repeated(sinks, 'name', (name) => `is the name of ${name} too; give each sink a name of its own`),
    ...repeated(sinks, 'sink', (name) => `is the instance of ${name} too; make an instance for each sink`),
    ...files.problems,
    ...repeated(
      files.paths,
      'path',
      (name, path) => `is the file of ${name} too (${path}); give each sink a file of its own`,
    ),
    ...sinks.flatMap(retentionProblems),
    ...sinks.flatMap((sink, index) => (isRecord(sink) ? sealProblems(sink, ['sinks', index]) : [])),
    ...sinks.flatMap((sink, index) => onlyProblems(isRecord(sink) ? sink.only : [], ['sinks', index, 'only'])),
    ...sinks.flatMap((sink, index) => filterProblems(isRecord(sink) ? sink.filters : [], ['sinks', index, 'filters'])),
  ]
}

function tooMany(): Problem {
  return { path: ['sinks', MAX_SINKS], message: `is one too many; use at most ${MAX_SINKS} sinks` }
}

/** Values of one key that an earlier sink has already. */
function repeated(
  sinks: readonly unknown[],
  key: string,
  message: (first: string, value: unknown) => string,
): Problem[] {
  const firsts = new Map<unknown, number>()
  const problems: Problem[] = []
  for (const [index, sink] of sinks.entries()) {
    const value = isRecord(sink) ? sink[key] : undefined
    if (value === undefined) continue
    const first = firsts.get(value)
    if (first === undefined) firsts.set(value, index)
    else problems.push({ path: ['sinks', index, key], message: message(`sinks[${first}]`, value) })
  }
  return problems
}

/** The absolute path of each file sink, at its sink's place, and which sinks must be given one. */
function filesOf(sinks: readonly unknown[], dataDir: unknown): { paths: unknown[]; problems: Problem[] } {
  const only = sinks.filter((sink) => isRecord(sink) && sink.type === 'file').length === 1
  const directory = typeof dataDir === 'string' && dataDirProblem(dataDir) === undefined ? dataDir : DEFAULT_DATA_DIR
  const problems: Problem[] = []
  const paths = sinks.map((sink, index) => {
    if (!isRecord(sink) || sink.type !== 'file') return undefined
    if (typeof sink.path === 'string')
      return filePathProblem(sink.path) === undefined ? { path: resolve(sink.path) } : undefined
    if (sink.path !== undefined) return undefined
    if (only) return { path: defaultPath(directory) }
    const remedy = `only a single file sink gets the default path; write one, such as './data/audit/audit-${index}.log'`
    problems.push({ path: ['sinks', index, 'path'], message: missing(remedy) })
    return undefined
  })
  return { paths, problems }
}

function retentionProblems(sink: unknown, index: number): Problem[] {
  if (!isRecord(sink) || sink.type !== 'file') return []
  const oldest = milliseconds(sink.rotateMaxAge)
  const youngest = milliseconds(sink.rotateMinAge)
  if (!(oldest > 0 && oldest < youngest)) return []
  const message = 'is shorter than `rotateMinAge`, which keeps files from being deleted at that age; write a longer one'
  return [{ path: ['sinks', index, 'rotateMaxAge'], message }]
}

/** `NaN`, which is neither more nor less than anything, for what is no duration: that is reported elsewhere. */
function milliseconds(value: unknown): number {
  if (typeof value !== 'string' && typeof value !== 'number') return Number.NaN
  try {
    return parseDuration(value)
  } catch (error) {
    if (error instanceof AuditInvalidUnit) return Number.NaN
    throw error
  }
}
