import type { FastifyRequest } from 'fastify'

/** The caller of a request. */
export interface Identity {
  /** The caller's permanent id, such as a user's or a token's; never a secret. */
  accessorId: string
  name?: string | undefined
  policies?: readonly string[] | undefined
  groups?: readonly string[] | undefined
  /** True if the credential is valid in every region or tenant. */
  global?: boolean | undefined
  /** The time at which the credential was created. */
  createTime?: string | Date | undefined
  /** The method of authentication, such as `'jwt'`. */
  method?: string | undefined
  /** The one for whom the caller acts, if it is somebody else. */
  onBehalfOf?: string | undefined
}

/**
 * Returns the caller of a request; `undefined` is recorded as the anonymous token. Must not return a promise.
 *
 * Declare the return type, and the compiler rejects misspelt keys:
 *
 * @example
 * ```ts
 * import type { FastifyRequest } from 'fastify'
 * import type { Identity } from 'fastify-audit-log'
 *
 * const identity = ({ headers }: FastifyRequest): Identity | undefined =>
 *   headers['x-user'] === undefined ? undefined : { accessorId: String(headers['x-user']) }
 * ```
 */
export type IdentityFunction = (request: FastifyRequest) => Identity | undefined

/** Returns the namespace of a request; `undefined` is recorded as `default`. Must not return a promise. */
export type NamespaceFunction = (request: FastifyRequest) => string | undefined
