import type { FastifyRequest } from 'fastify'

/** Who made a request. */
export interface Identity {
  /** What identifies the caller for good: a user's or a token's id, never a secret. */
  accessorId: string
  name?: string | undefined
  policies?: readonly string[] | undefined
  groups?: readonly string[] | undefined
  /** Whether the credential holds in every region or tenant. */
  global?: boolean | undefined
  /** When the credential was made. */
  createTime?: string | Date | undefined
  /** How the caller proved who they are, such as `'jwt'`. */
  method?: string | undefined
  /** For whom the caller acts, if it is somebody else. */
  onBehalfOf?: string | undefined
}

/** Says who made a request; `undefined` is recorded as the anonymous token. Must not return a promise. */
export type IdentityFunction = (request: FastifyRequest) => Identity | undefined

/** Says which namespace a request is for; `undefined` is recorded as `default`. Must not return a promise. */
export type NamespaceFunction = (request: FastifyRequest) => string | undefined
