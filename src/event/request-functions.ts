import type { FastifyRequest } from 'fastify'
import type { Identity } from './actor.js'

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

/**
 * Returns the trace context of the server's own span in the form of the header `traceparent` (W3C Trace Context);
 * `undefined` if there is none. Must not return a promise.
 */
export type TraceFunction = (request: FastifyRequest) => string | undefined

/** Returns the namespace of a request; `undefined` is recorded as `default`. Must not return a promise. */
export type NamespaceFunction = (request: FastifyRequest) => string | undefined
