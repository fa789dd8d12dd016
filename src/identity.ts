import type { FastifyRequest } from 'fastify'
import type { Changes } from './bound.js'
import type { EventAuth } from './event.js'
import { ANONYMOUS_AUTH, writeAuth } from './formats/json.js'
import type { Identity, IdentityFunction, NamespaceFunction } from './options/types.js'
import type { SinkLogger } from './sinks/sink.js'

/** What the application's own functions got wrong; none of it fails a request. */
export interface WhoCounts {
  identityErrors: number
  namespaceErrors: number
}

/** Who asks, and for which namespace, by the application's functions. Either may throw. */
export class Who {
  constructor(
    private readonly identity: IdentityFunction | undefined,
    private readonly namespace: NamespaceFunction | undefined,
    private readonly counts: WhoCounts,
    private readonly log: SinkLogger,
  ) {}

  /** Whether everyone is anonymous. */
  get knowsNobody(): boolean {
    return this.identity === undefined
  }

  /** The identity as JSON; the anonymous token where there is none. */
  auth(request: FastifyRequest, changes: Changes): string {
    if (this.identity === undefined) return ANONYMOUS_AUTH
    try {
      const identity = this.identity(request)
      return identity === undefined || identity === null ? ANONYMOUS_AUTH : writeAuth(toAuth(identity), changes)
    } catch (error) {
      this.counts.identityErrors++
      this.log.warn(
        { err: error },
        'the `identity` option of fastify-audit-log failed: the request is recorded as anonymous',
      )
      return ANONYMOUS_AUTH
    }
  }

  namespaceOf(request: FastifyRequest): string {
    if (this.namespace === undefined) return 'default'
    try {
      const namespace: unknown = this.namespace(request)
      if (namespace === undefined || typeof namespace === 'string') return namespace ?? 'default'
      throw new TypeError(`it returned ${typeof namespace} instead of a string`)
    } catch (error) {
      this.counts.namespaceErrors++
      this.log.warn(
        { err: error },
        'the `namespace` option of fastify-audit-log failed: the request is recorded under "default"',
      )
      return 'default'
    }
  }
}

/** The identity under the names of a line. JavaScript callers may hand in anything: numbers become text. */
function toAuth(identity: Identity): EventAuth {
  const { accessorId, name, policies, groups, global, createTime, method, onBehalfOf } = identity
  if (accessorId === undefined || accessorId === null) {
    throw new TypeError('the identity has no `accessorId`; return undefined for an anonymous request')
  }
  return {
    accessor_id: String(accessorId),
    ...(name !== undefined && { name: String(name) }),
    ...(policies !== undefined && { policies: policies.map(String) }),
    ...(groups !== undefined && { groups: groups.map(String) }),
    ...(global !== undefined && { global: Boolean(global) }),
    ...(createTime !== undefined && {
      create_time: createTime instanceof Date ? createTime.toISOString() : String(createTime),
    }),
    ...(method !== undefined && { method: String(method) }),
    ...(onBehalfOf !== undefined && { on_behalf_of: String(onBehalfOf) }),
  }
}
