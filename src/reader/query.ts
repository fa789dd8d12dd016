import { AuditInvalidQuery } from '../errors.js'
import type { JsonValue } from '../event/event.js'
import { endpointPatternProblem, expandBraces } from '../policy/glob.js'
import { type RouterFolding, spellings } from '../policy/path.js'
import { PatternSet } from '../policy/pattern-set.js'
import { STATUS_PATTERN, statusTable } from '../policy/statuses.js'
import type { TrailExchange } from './record.js'
import { parseTime } from './times.js'

/** What is looked for in a trail. Of a list any one will do; of different keys all must hold. */
export interface TrailQuery {
  /** Received at or after: RFC 3339, a day (`'2026-03-24'`, in UTC), a duration before now (`'2h'`), or a `Date`. */
  since?: string | Date | undefined
  /** Received before: as `since`. */
  until?: string | Date | undefined
  /** `auth.accessor_id` or `auth.name`, exactly. */
  actor?: string | readonly string[] | undefined
  /** Methods, in upper or lower case. */
  operation?: string | readonly string[] | undefined
  /** Globs over the URL's path, however the client spelled it; one with a `?` is over the whole URL. */
  endpoint?: string | readonly string[] | undefined
  /** A status (`'403'`) or a class of them (`'5xx'`); a corrected one where there is a correction. */
  status?: string | readonly string[] | undefined
  /** `payload.id`, or its first 8 characters or more. */
  id?: string | readonly string[] | undefined
  namespace?: string | readonly string[] | undefined
  /** Each by its key, and its value as a text; `true` for whatever value. */
  annotations?: Readonly<Record<string, string | true>> | undefined
  /**
   * Only what was received and never completed.
   *
   * @default false
   */
  open?: boolean | undefined
}

/** A query that is ready to be asked. */
export interface CompiledQuery {
  /** Received at or after, and before; in milliseconds since the epoch, and infinite where nothing is asked. */
  readonly since: number
  readonly until: number
  /** Whether an exchange without an outcome can be an answer, and one with an outcome. */
  readonly takesOpen: boolean
  readonly takesComplete: boolean
  /** Whether what never changes between the two records is as asked. */
  matchesRequest(exchange: TrailExchange): boolean
  matches(exchange: TrailExchange): boolean
  /** Whether a line may be one that matters; cheaper than to parse it, and never wrong when it says no. */
  mayMatter(line: Buffer): boolean
}

/** Shorter starts of ids would match by chance. */
const MIN_ID = 8
/** No program that writes JSON escapes these, so that they stand in a line as they are. */
const PLAIN = /^[\w.@: -]{2,}$/
/** Who is anonymous at first may have a name in the second record. */
const ANONYMOUS = /^anonymous$|^Anonymous Token$/
/** In this format the second record does not say what was asked. */
const RANCHER = Buffer.from('"auditID"')

/** Paths are compared as most routers read them; the raw one is compared as well. */
const FOLDING: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

type Test = (exchange: TrailExchange) => boolean

/**
 * Makes a query ready; durations count back from `now`.
 *
 * @throws `FST_AUDIT_INVALID_QUERY` for a value that cannot mean anything.
 */
export function compileQuery(query: TrailQuery, now: number): CompiledQuery {
  const since = query.since === undefined ? Number.NEGATIVE_INFINITY : parseTime('since', query.since, now)
  const until = query.until === undefined ? Number.POSITIVE_INFINITY : parseTime('until', query.until, now)
  if (since >= until) throw new AuditInvalidQuery('since is not before until, so that nothing lies between them')
  const { annotations = {} } = query
  // Neither a status nor annotations are known of what has no outcome.
  const takesOpen = query.status === undefined && Object.keys(annotations).length === 0
  if (query.open === true && !takesOpen) {
    throw new AuditInvalidQuery(
      'open is what has no outcome, and so neither a status nor annotations: leave either out',
    )
  }
  const requestTests = [timeTest(since, until), ...requestTestsOf(query)]
  const outcomeTests = [
    ...present(query.actor, (actors) => actorTest(new Set(actors))),
    ...present(query.status, statusTest),
    ...Object.entries(annotations).map(([key, value]) => annotationTest(key, value)),
  ]
  const isOpenAsked = query.open === true
  return {
    since,
    until,
    takesComplete: !isOpenAsked,
    takesOpen,
    matchesRequest: (exchange) => requestTests.every((test) => test(exchange)),
    matches: (exchange) =>
      (!isOpenAsked || exchange.open === true) &&
      requestTests.every((test) => test(exchange)) &&
      outcomeTests.every((test) => test(exchange)),
    mayMatter: rawTest(query),
  }
}

function requestTestsOf({ operation, endpoint, id, namespace }: TrailQuery): Test[] {
  return [
    ...present(operation, (operations) => operationTest(new Set(operations.map((name) => name.toUpperCase())))),
    ...present(endpoint, endpointTest),
    ...present(id, idTest),
    ...present(namespace, (names) => namespaceTest(new Set(names))),
  ]
}

/** The test of a key that was given. */
function present(value: string | readonly string[] | undefined, test: (values: readonly string[]) => Test): Test[] {
  const values = toList(value)
  return values === undefined ? [] : [test(values)]
}

function timeTest(since: number, until: number): Test {
  if (since === Number.NEGATIVE_INFINITY && until === Number.POSITIVE_INFINITY) return () => true
  return ({ timestamp }) => {
    const time = Date.parse(timestamp)
    return time >= since && time < until
  }
}

function actorTest(actors: ReadonlySet<string>): Test {
  return ({ auth }) =>
    auth !== undefined && (actors.has(auth.accessor_id) || (auth.name !== undefined && actors.has(auth.name)))
}

function operationTest(operations: ReadonlySet<string>): Test {
  return ({ request }) => request?.operation !== undefined && operations.has(request.operation.toUpperCase())
}

function namespaceTest(names: ReadonlySet<string>): Test {
  return ({ request }) => request?.namespace !== undefined && names.has(request.namespace.id)
}

function idTest(ids: readonly string[]): Test {
  const short = ids.find((id) => id.length < MIN_ID)
  if (short !== undefined) {
    throw new AuditInvalidQuery(
      `id ${JSON.stringify(short)} is too short: write its first ${MIN_ID} characters or more`,
    )
  }
  return ({ id }) => ids.some((start) => id.startsWith(start))
}

function endpointTest(patterns: readonly string[]): Test {
  for (const pattern of patterns) {
    const problem = endpointPatternProblem(pattern)
    if (problem !== undefined) throw new AuditInvalidQuery(`endpoint ${JSON.stringify(pattern)} ${problem}`)
  }
  const expanded = patterns.flatMap(expandBraces)
  const urls = new PatternSet(expanded.filter((pattern) => pattern.includes('?')))
  const paths = new PatternSet(expanded.filter((pattern) => !pattern.includes('?')))
  return ({ request }) => {
    if (request?.endpoint === undefined) return false
    // Either spelling will do: nobody hides from a search behind a percent sign.
    const { raw, canonical } = spellings(request.endpoint, FOLDING)
    return paths.matches(raw) || paths.matches(canonical) || urls.matches(request.endpoint)
  }
}

function statusTest(statuses: readonly string[]): Test {
  for (const status of statuses) {
    if (!STATUS_PATTERN.test(status)) {
      throw new AuditInvalidQuery(
        `status ${JSON.stringify(status.slice(0, 100))} is none: write one such as '403', or a class such as '5xx'`,
      )
    }
  }
  const asked = statusTable(statuses)
  return ({ response }) => response?.status_code !== undefined && asked[response.status_code] === 1
}

function annotationTest(key: string, value: string | true): Test {
  return ({ annotations }) => {
    if (annotations === undefined || !Object.hasOwn(annotations, key)) return false
    return value === true || textOf(annotations[key]) === value
  }
}

/** As a reader would write it: a text without its quotes. Of lists and objects only that they are there is asked. */
function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'object' && value !== null ? undefined : String(value)
}

/**
 * A line of format `json` that matches holds what was asked for, in whichever order its keys are and however it is
 * spaced; one that does not need not be parsed. Both records of an exchange hold it, or no outcome is ever looked for.
 */
function rawTest({ id, actor, namespace }: TrailQuery): (line: Buffer) => boolean {
  const ids = needlesOf(id)
  const others = [
    needlesOf(toList(actor)?.some((name) => ANONYMOUS.test(name)) ? undefined : actor),
    needlesOf(namespace),
  ].filter((needles) => needles !== undefined)
  if (ids === undefined && others.length === 0) return () => true
  const has = (line: Buffer) => (needle: Buffer) => line.includes(needle)
  return (line) =>
    (ids === undefined || ids.some(has(line))) &&
    (others.length === 0 || others.every((needles) => needles.some(has(line))) || line.includes(RANCHER))
}

function needlesOf(values: string | readonly string[] | undefined): readonly Buffer[] | undefined {
  const list = toList(values)
  return list?.every((value) => PLAIN.test(value)) ? list.map((value) => Buffer.from(value)) : undefined
}

function toList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}
