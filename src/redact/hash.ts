import { createHmac } from 'node:crypto'
import { AuditInvalidOptions } from '../errors.js'
import { keyIdProblem, secretProblem } from './secret.js'

/** The secret of a keyed hash, and its name. */
export interface AuditHashOptions {
  /** The option `redact.secret`: at least 32 bytes. */
  readonly secret: string | Uint8Array
  /**
   * The option `redact.keyId`.
   * @default '1'
   */
  readonly keyId?: string | undefined
}

/**
 * Returns what the trail has in the place of a value in mode `hmac`, `hmac-sha256:<keyId>:<hex>`, to search for it.
 *
 * Texts are hashed as UTF-8, those of a query or a path after percent-decoding. Numbers and booleans are hashed as JSON
 * writes them.
 *
 * @throws FST_AUDIT_INVALID_OPTIONS when the secret is shorter than 32 bytes, or `keyId` is not a key's name.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { auditHash } from 'fastify-audit-log'
 *
 * const secret = randomBytes(32)
 * const needle = auditHash('the token that leaked', { secret, keyId: '2026-01' })
 * ```
 */
export function auditHash(value: string, { secret, keyId = '1' }: AuditHashOptions): string {
  const secretMistake = secretProblem(secret)
  if (secretMistake !== undefined) throw new AuditInvalidOptions(`- secret ${secretMistake}.`)
  const keyIdMistake = keyIdProblem(keyId)
  if (keyIdMistake !== undefined) throw new AuditInvalidOptions(`- keyId ${keyIdMistake}.`)
  return hash(value, secret, keyId)
}

/** Hashes a value. The options were checked at boot. */
export function hash(value: string, secret: string | Uint8Array, keyId: string): string {
  return `hmac-sha256:${keyId}:${createHmac('sha256', secret).update(value, 'utf8').digest('hex')}`
}
