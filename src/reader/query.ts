import { AuditInvalidQuery } from '../errors.js'
import type { JsonValue } from '../event/event.js'
import { braceProblem, endpointPatternProblem, expandBraces } from '../policy/glob.js'
import { type RouterFolding, spellings } from '../policy/path.js'
import { PatternSet } from '../policy/pattern-set.js'
import { STATUS_PATTERN, statusTable } from '../policy/statuses.js'
import { isOutcome } from './members.js'
import { parseTime } from './times.js'
import type { TrailExchange } from './trail-exchange.js'

/**
 * Conditions on requests and actions. All keys must match; of a list, one value must. `operation`, `endpoint` and
 * `status` match only requests.
 */
export interface TrailQuery {
  /** Received, begun or recorded at or after: RFC 3339, a day (`'2026-03-24'`, in UTC), a duration before now (`'2h'`), or a `Date`. */
  since?: string | Date | undefined
  /** Received, begun or recorded before: as `since`. */
  until?: string | Date | undefined
  /** `auth.accessor_id` or `auth.name`, exactly. */
  actor?: string | readonly string[] | undefined
  /** Methods, in upper or lower case. */
  operation?: string | readonly string[] | undefined
  /** Globs over the URL's path, however the client spelled it; one with a `?` is over the whole URL. */
  endpoint?: string | readonly string[] | undefined
  /** A status (`'403'`) or a class of them (`'5xx'`); a corrected one where there is a correction. */
  status?: string | readonly string[] | undefined
  /** Globs over what was done, such as `'invoice.*'`: of requests and of actions beside them. */
  action?: string | readonly string[] | undefined
  /** Globs over a target's type and id, such as `'invoice:42'`; a type alone, `'invoice'`, is `'invoice:*'`. */
  target?: string | readonly string[] | undefined
  /** `'success'`, `'failure'` or `'denied'`, as recorded. */
  outcome?: string | readonly string[] | undefined
  /** `payload.id`, or its first 8 characters or more. */
  id?: string | readonly string[] | undefined
  /** The `id` of the request or the work to which an action belongs, or its first 8 characters or more. */
  parent?: string | readonly string[] | undefined
  namespace?: string | readonly string[] | undefined
  /** Annotations by key, those that were added until the end included: the value as a text, or `true` for any value. */
  annotations?: Readonly<Record<string, string | true>> | undefined
  /**
   * Selects only requests and work that have no outcome.
   *
   * @default false
   */
  open?: boolean | undefined
}

/** A query, checked and compiled. */
export interface CompiledQuery {
  /** The range of times of receipt, in milliseconds since the epoch; infinite where none was given. */
  readonly since: number
  readonly until: number
  /** Whether open exchanges can match, and whether completed ones can. */
  readonly takesOpen: boolean
  readonly takesComplete: boolean
  /** Tests what is the same in both records. */
  matchesRequest(exchange: TrailExchange): boolean
  matches(exchange: TrailExchange): boolean
  /** Tests a line's bytes, which is cheaper than parsing it: false only if it cannot match. */
  mayMatter(line: Buffer): boolean
}

/** Shorter prefixes of ids would match by chance. */
const MIN_ID = 8
/** Texts that JSON never escapes, so that a line holds them byte for byte. */
const PLAIN = /^[\w.@: -]{2,}$/
/** An actor that is anonymous in the first record may be known in the second. */
const ANONYMOUS = /^anonymous$|^Anonymous Token$/
/** Marks the format whose second record does not repeat the request. */
const RANCHER = Buffer.from('"auditID"')

/** Folds paths as most routers do; the raw path is compared as well. */
const FOLDING: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

type Test = (exchange: TrailExchange) => boolean

/**
 * Compiles a query; durations count back from `now`.
 *
 * @throws `FST_AUDIT_INVALID_QUERY` for a value that cannot mean anything.
 */
export function compileQuery(query: TrailQuery, now: number): CompiledQuery {
  const since = query.since === undefined ? Number.NEGATIVE_INFINITY : parseTime('since', query.since, now)
  const until = query.until === undefined ? Number.POSITIVE_INFINITY : parseTime('until', query.until, now)
  if (since >= until) throw new AuditInvalidQuery('since is not before until, so that no time lies between them')
  const { annotations = {} } = query
  // An open exchange has neither a status nor an outcome nor annotations.
  const takesOpen = (query.status ?? query.outcome) === undefined && Object.keys(annotations).length === 0
  if (query.open === true && !takesOpen) {
    throw new AuditInvalidQuery(
      'open is what has no outcome, and so no status and no annotations either: leave these out',
    )
  }
  const requestTests = [timeTest(since, until), ...requestTestsOf(query)]
  const outcomeTests = [
    ...present(query.actor, (actors) => actorTest(new Set(actors))),
    ...present(query.status, statusTest),
    ...present(query.outcome, outcomeTest),
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

function requestTestsOf({ operation, endpoint, action, target, id, parent, namespace }: TrailQuery): Test[] {
  return [
    ...present(operation, (operations) => operationTest(new Set(operations.map((name) => name.toUpperCase())))),
    ...present(endpoint, endpointTest),
    ...present(action, actionTest),
    ...present(target, targetTest),
    ...present(id, (ids) => idTest('id', ids, (exchange) => exchange.id)),
    ...present(parent, (ids) => idTest('parent', ids, (exchange) => exchange.parent)),
    ...present(namespace, (names) => namespaceTest(new Set(names))),
  ]
}

/** Makes the test of a key, if the key was given. */
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
  return ({ request, namespace = request?.namespace }) => namespace !== undefined && names.has(namespace.id)
}

function idTest(name: string, ids: readonly string[], idIn: (exchange: TrailExchange) => string | undefined): Test {
  const short = ids.find((id) => id.length < MIN_ID)
  if (short !== undefined) {
    throw new AuditInvalidQuery(
      `${name} ${JSON.stringify(short)} is too short: write its first ${MIN_ID} characters or more`,
    )
  }
  return (exchange) => {
    const whole = idIn(exchange)
    return whole !== undefined && ids.some((start) => whole.startsWith(start))
  }
}

function actionTest(patterns: readonly string[]): Test {
  const actions = new PatternSet(globsOf('action', patterns))
  return ({ action }) => action !== undefined && actions.matches(action)
}

function targetTest(patterns: readonly string[]): Test {
  const asked = new PatternSet(globsOf('target', patterns).map((glob) => (glob.includes(':') ? glob : `${glob}:*`)))
  return ({ targets }) => targets?.some(({ type, id }) => asked.matches(`${type}:${id}`)) === true
}

function globsOf(name: string, patterns: readonly string[]): string[] {
  for (const pattern of patterns) {
    const problem = pattern === '' ? "is empty and matches nothing; write '*' for any" : braceProblem(pattern)
    if (problem !== undefined) throw new AuditInvalidQuery(`${name} ${JSON.stringify(pattern)} ${problem}`)
  }
  return patterns.flatMap(expandBraces)
}

function outcomeTest(outcomes: readonly string[]): Test {
  const wrong = outcomes.find((outcome) => !isOutcome(outcome))
  if (wrong !== undefined) {
    throw new AuditInvalidQuery(
      `outcome ${JSON.stringify(wrong.slice(0, 100))} is not an outcome: write 'success', 'failure' or 'denied'`,
    )
  }
  return ({ outcome }) => outcome !== undefined && outcomes.includes(outcome)
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
    // Match either spelling: percent-encoding must not hide a request from a search.
    const { raw, canonical } = spellings(request.endpoint, FOLDING)
    return paths.matches(raw) || paths.matches(canonical) || urls.matches(request.endpoint)
  }
}

function statusTest(statuses: readonly string[]): Test {
  for (const status of statuses) {
    if (!STATUS_PATTERN.test(status)) {
      throw new AuditInvalidQuery(
        `status ${JSON.stringify(status.slice(0, 100))} is not a status: write one such as '403', or a class such as '5xx'`,
      )
    }
  }
  const asked = statusTable(statuses)
  return ({ response }) => response?.status_code !== undefined && asked[response.status_code] === 1
}

function annotationTest(key: string, value: string | true): Test {
  const has = (annotations: TrailExchange['annotations']) =>
    annotations !== undefined &&
    Object.hasOwn(annotations, key) &&
    (value === true || textOf(annotations[key]) === value)
  return ({ annotations, end }) => has(annotations) || has(end?.annotations)
}

/** An annotation as a user writes it: texts without quotes. Lists and objects match only by their key. */
function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'object' && value !== null ? undefined : String(value)
}

/**
 * A line of format `json` that matches holds the values asked for, whatever the order of keys and the spaces; other
 * lines need not be parsed. Both records of an exchange hold the values.
 */
function rawTest({ id, parent, actor, namespace, action, target }: TrailQuery): (line: Buffer) => boolean {
  const ids = needlesOf(id)
  const others = [
    needlesOf(parent),
    needlesOf(toList(actor)?.some((name) => ANONYMOUS.test(name)) ? undefined : actor),
    needlesOf(namespace),
    needlesOf(action),
    // A target is written in two parts: after the last colon is its id, or the end of it.
    needlesOf(toList(target)?.map((glob) => glob.slice(glob.lastIndexOf(':') + 1))),
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
