import { types } from 'node:util'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import type { SinkLogger } from '../logger.js'
import { ChangeReport } from '../redact/change-report.js'
import type { Redactor } from '../redact/redactor.js'
import type { Identity } from './actor.js'
import type { EventAuth } from './event.js'
import { ANONYMOUS, writeAuth } from './formats/json-auth.js'
import { DEFAULT_NAMESPACE } from './formats/json-request.js'
import { KnownIdentities } from './identity-cache.js'
import type { IdentityFunction, NamespaceFunction } from './request-functions.js'
import { isThenable } from './thenable.js'

/** Counts of the application's answers about identity and namespace; no answer fails a request. */
export interface IdentityCounts {
  identityErrors: number
  namespaceErrors: number
  /** The identity at the end differed from the first one, which was recorded. */
  authChanged: number
}

/** The least milliseconds between two log lines about a function that throws; the counters count each throw. */
const WARNING_INTERVAL = 60_000

/** The most unknown keys that are logged, and the most characters of each. */
const MOST_UNKNOWN_KEYS = 16
const LONGEST_KEY = 64

/** The most policies, or groups, that are looked at: far more than are recorded. */
const MOST_NAMES = 1024

/** The keys of an identity. */
const KEYS: ReadonlySet<string> = new Set<keyof Identity>([
  'accessorId',
  'name',
  'policies',
  'groups',
  'global',
  'createTime',
  'method',
  'onBehalfOf',
])

/** The parts that an `IdentityResolver` needs. */
export interface IdentityParts {
  readonly identity: IdentityFunction | undefined
  readonly namespace: NamespaceFunction | undefined
  readonly counts: IdentityCounts
  readonly log: SinkLogger
  readonly clock: Clock
  readonly redactor: Redactor
}

/** The caller of a request, who is asked for before the records are made. */
export interface Caller {
  readonly accessorId: string
  /** Null: nobody, so that the request is recorded as anonymous. */
  readonly identity: Identity | null
}

const NOBODY: Caller = { accessorId: ANONYMOUS.accessor_id, identity: null }

/** Asks the application for the identity and the namespace of a request. Its functions may throw. */
export class IdentityResolver {
  /** The JSON of the identity of a request without one. */
  readonly anonymous: string
  private readonly known = new KnownIdentities()
  /** Unknown keys that have been logged. */
  private readonly unknownKeys = new Set<string>()
  private readonly warnedAt = new Map<string, number>()

  readonly counts: IdentityCounts
  private readonly identity: IdentityFunction | undefined
  private readonly namespace: NamespaceFunction | undefined
  private readonly log: SinkLogger
  private readonly clock: Clock

  constructor({ identity, namespace, counts, log, clock, redactor }: IdentityParts) {
    this.identity = identity
    this.namespace = namespace
    this.counts = counts
    this.log = log
    this.clock = clock
    this.anonymous = writeAuth(ANONYMOUS, new ChangeReport(redactor))
  }

  /** True if there is no `identity` option, so that everybody is anonymous. */
  get knowsNobody(): boolean {
    return this.identity === undefined
  }

  /** Returns the identity as JSON, or the anonymous token if there is none. */
  auth(request: FastifyRequest, changes: ChangeReport): string {
    if (this.identity === undefined) return this.anonymous
    try {
      const identity = this.ask(this.identity, request)
      return identity === null ? this.anonymous : this.write(identity, changes)
    } catch (error) {
      this.fail(error)
      return this.anonymous
    }
  }

  /** Asks for the caller of a request before its records are made; `authOfCaller` writes the answer. */
  callerOf(request: FastifyRequest): Caller {
    if (this.identity === undefined) return NOBODY
    try {
      const identity = this.ask(this.identity, request)
      return identity === null ? NOBODY : { accessorId: toAuth(identity).accessor_id, identity }
    } catch (error) {
      this.fail(error)
      return NOBODY
    }
  }

  /** Returns the identity of a caller as JSON. */
  authOfCaller({ identity }: Caller, changes: ChangeReport): string {
    return identity === null ? this.anonymous : this.authOf(identity, changes)
  }

  /** Returns an identity that the application gives without being asked, as JSON. */
  authOf(identity: Identity, changes: ChangeReport): string {
    try {
      return this.write(identity, changes)
    } catch (error) {
      this.counts.identityErrors++
      this.warn('fastify-audit-log was given an identity that cannot be recorded: anonymous is recorded instead', error)
      return this.anonymous
    }
  }

  namespaceOf(request: FastifyRequest): string {
    if (this.namespace === undefined) return DEFAULT_NAMESPACE
    try {
      const namespace: unknown = this.namespace(request)
      this.refusePromise(namespace)
      if (namespace === undefined || typeof namespace === 'string') return namespace ?? DEFAULT_NAMESPACE
      throw new TypeError(`it returned ${typeof namespace} instead of a string`)
    } catch (error) {
      this.counts.namespaceErrors++
      this.warn('the `namespace` option of fastify-audit-log failed: the request is recorded under "default"', error)
      return DEFAULT_NAMESPACE
    }
  }

  private ask(identity: IdentityFunction, request: FastifyRequest): Identity | null {
    const answer = identity(request)
    this.refusePromise(answer)
    return answer ?? null
  }

  private fail(error: unknown): void {
    this.counts.identityErrors++
    this.warn('the `identity` option of fastify-audit-log failed: the request is recorded as anonymous', error)
  }

  private write(identity: Identity, changes: ChangeReport): string {
    const known = this.known.find(identity)
    if (known !== undefined) return known
    const json = writeAuth(toAuth(identity), changes)
    if (changes.isUntouched) this.known.add(identity, json)
    this.noteUnknownKeys(identity)
    return json
  }

  /**
   * Logs unknown keys: the compiler lets a function return more than its type has, and a misspelt key would be lost.
   */
  private noteUnknownKeys(identity: Identity): void {
    const { unknownKeys } = this
    if (types.isProxy(identity) || unknownKeys.size >= MOST_UNKNOWN_KEYS) return
    const unknown = Object.keys(identity).filter((key) => !KEYS.has(key) && !unknownKeys.has(key))
    if (unknown.length === 0) return
    const noted = unknown.slice(0, MOST_UNKNOWN_KEYS - unknownKeys.size).map((key) => key.slice(0, LONGEST_KEY))
    for (const key of noted) unknownKeys.add(key)
    const keys = noted.join(', ')
    this.log.warn(
      { keys },
      `the \`identity\` option returned keys that are not recorded: ${keys}; ${[...KEYS].join(', ')} are`,
    )
  }

  private warn(message: string, error: unknown): void {
    const now = this.clock.monotonic()
    if (now - (this.warnedAt.get(message) ?? Number.NEGATIVE_INFINITY) < WARNING_INTERVAL) return
    this.warnedAt.set(message, now)
    this.log.warn({ err: error }, message)
  }

  /** Refuses a promise, which comes too late to be recorded. Catches its rejection, which would end the process. */
  private refusePromise(value: unknown): void {
    if (!isThenable(value)) return
    Promise.resolve(value).then(undefined, (error: unknown) => {
      this.log.warn({ err: error }, 'a promise that the `identity` or `namespace` option returned was rejected')
    })
    throw new TypeError('it returned a promise; it must be synchronous: authenticate in a hook, and read the result')
  }
}

/**
 * Converts the identity to the names of a line. JavaScript callers may hand in anything: ids of any type become text.
 */
export function toAuth(identity: Identity): EventAuth {
  const { accessorId, name, policies, groups, global, createTime, method, onBehalfOf } = identity
  if (isAbsent(accessorId)) {
    throw new TypeError('the identity has no `accessorId`; return undefined for an anonymous request')
  }
  return {
    accessor_id: toText(accessorId),
    ...(!isAbsent(name) && { name: toText(name) }),
    ...(!isAbsent(policies) && { policies: policies.slice(0, MOST_NAMES).map(toText) }),
    ...(!isAbsent(groups) && { groups: groups.slice(0, MOST_NAMES).map(toText) }),
    ...(!isAbsent(global) && { global: global === true }),
    ...(!isAbsent(createTime) && {
      create_time: createTime instanceof Date ? createTime.toISOString() : toText(createTime),
    }),
    ...(!isAbsent(method) && { method: toText(method) }),
    ...(!isAbsent(onBehalfOf) && { on_behalf_of: toText(onBehalfOf) }),
  }
}

/** Databases use null and forms the empty string for a missing value. */
function isAbsent(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === ''
}

/** Converts a value to text; refuses values without a text of their own, such as `[object Promise]`. */
function toText(value: unknown): string {
  const text = String(value)
  if (typeof value === 'function' || text.startsWith('[object ')) {
    throw new TypeError(`the identity holds ${typeof value === 'function' ? 'a function' : text} where a text belongs`)
  }
  return text
}
