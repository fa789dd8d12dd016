import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import type { SinkLogger } from '../logger.js'
import { ChangeReport } from '../redact/change-report.js'
import type { Redactor } from '../redact/redactor.js'
import type { Identity, IdentityFunction, NamespaceFunction } from './actor.js'
import type { EventAuth } from './event.js'
import { ANONYMOUS, writeAuth } from './formats/json-auth.js'
import { DEFAULT_NAMESPACE } from './formats/json-request.js'
import { KnownIdentities } from './identity-cache.js'

/** What became of asking the application who a request is from, and for which namespace; none of it fails a request. */
export interface IdentityCounts {
  identityErrors: number
  namespaceErrors: number
  /** The identity at the end was not the one at the start, which stands. */
  authChanged: number
}

/** A function that throws for every request is logged this often, in milliseconds; the counters have each. */
const WARNING_INTERVAL = 60_000

/** Who asks, and for which namespace, by the application's functions. Either may throw. */
export class IdentityResolver {
  /** What stands for a request without an identity. */
  readonly anonymous: string
  private readonly known = new KnownIdentities()
  private readonly warnedAt = { identity: Number.NEGATIVE_INFINITY, namespace: Number.NEGATIVE_INFINITY }

  constructor(
    private readonly identity: IdentityFunction | undefined,
    private readonly namespace: NamespaceFunction | undefined,
    readonly counts: IdentityCounts,
    private readonly log: SinkLogger,
    private readonly clock: Clock,
    redactor: Redactor,
  ) {
    this.anonymous = writeAuth(ANONYMOUS, new ChangeReport(redactor))
  }

  /** Whether everyone is anonymous. */
  get knowsNobody(): boolean {
    return this.identity === undefined
  }

  /** The identity as JSON; the anonymous token where there is none. */
  auth(request: FastifyRequest, changes: ChangeReport): string {
    if (this.identity === undefined) return this.anonymous
    try {
      const identity = this.identity(request)
      this.refusePromise(identity)
      return identity === undefined || identity === null ? this.anonymous : this.write(identity, changes)
    } catch (error) {
      this.counts.identityErrors++
      this.warn('identity', error, 'the request is recorded as anonymous')
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
      this.warn('namespace', error, 'the request is recorded under "default"')
      return DEFAULT_NAMESPACE
    }
  }

  private write(identity: Identity, changes: ChangeReport): string {
    const known = this.known.find(identity)
    if (known !== undefined) return known
    const json = writeAuth(toAuth(identity), changes)
    if (changes.isUntouched) this.known.add(identity, json)
    return json
  }

  private warn(option: 'identity' | 'namespace', error: unknown, effect: string): void {
    const now = this.clock.monotonic()
    if (now - this.warnedAt[option] < WARNING_INTERVAL) return
    this.warnedAt[option] = now
    this.log.warn({ err: error }, `the \`${option}\` option of fastify-audit-log failed: ${effect}`)
  }

  /** What comes later cannot be recorded; and nobody else would catch its rejection, which ends a process. */
  private refusePromise(value: unknown): void {
    if (!isThenable(value)) return
    Promise.resolve(value).then(undefined, (error: unknown) => {
      this.log.warn({ err: error }, 'a promise that the `identity` or `namespace` option returned was rejected')
    })
    throw new TypeError('it returned a promise; it must be synchronous: authenticate in a hook, and read the result')
  }
}

/** The identity under the names of a line. JavaScript callers may hand in anything: ids of any kind become text. */
function toAuth(identity: Identity): EventAuth {
  const { accessorId, name, policies, groups, global, createTime, method, onBehalfOf } = identity
  if (isAbsent(accessorId)) {
    throw new TypeError('the identity has no `accessorId`; return undefined for an anonymous request')
  }
  return {
    accessor_id: toText(accessorId),
    ...(!isAbsent(name) && { name: toText(name) }),
    ...(!isAbsent(policies) && { policies: policies.map(toText) }),
    ...(!isAbsent(groups) && { groups: groups.map(toText) }),
    ...(!isAbsent(global) && { global: global === true }),
    ...(!isAbsent(createTime) && {
      create_time: createTime instanceof Date ? createTime.toISOString() : toText(createTime),
    }),
    ...(!isAbsent(method) && { method: toText(method) }),
    ...(!isAbsent(onBehalfOf) && { on_behalf_of: toText(onBehalfOf) }),
  }
}

/** Databases say null, and forms say the empty string, where there is nothing. */
function isAbsent(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === ''
}

/** A text, or what has one of its own; `[object Promise]` in the place of a name would identify nobody. */
function toText(value: unknown): string {
  const text = String(value)
  if (typeof value === 'function' || text.startsWith('[object ')) {
    throw new TypeError(`the identity holds ${typeof value === 'function' ? 'a function' : text} where a text belongs`)
  }
  return text
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
