import { createPublicKey, KeyObject } from 'node:crypto'
import { AuditInvalidKey } from '../../errors.js'
import { HASH_BYTES, sealHash } from '../../event/seal-line.js'

/** A secret that lines were sealed with: at least 32 bytes. */
export type Secret = string | Uint8Array

/** One of several secrets, by the `keyId` that it was given in the option `seal`. */
export interface NamedSecret {
  readonly keyId: string
  readonly secret: Secret
}

/** The secret that a line was sealed with, and its place in the order of their use. */
export type SealedWith = (NamedSecret & { readonly place: number }) | 'no secret'

const BRACE = 0x7d

/** The secrets that lines are verified with, the oldest first; without any, lines have a plain hash. */
export class SealKeys {
  private readonly secrets: readonly Exclude<SealedWith, 'no secret'>[]

  /** @throws `FST_AUDIT_INVALID_KEY` when the list of secrets is empty, or two of them have the same `keyId`. */
  constructor(given: Secret | readonly NamedSecret[] | undefined) {
    this.secrets = listOf(given).map((one, place) => ({ ...one, place }))
  }

  /** Every line must be sealed with a secret. */
  get areSecret(): boolean {
    return this.secrets.length > 0
  }

  /** The names of the secrets matter; a single secret may have any name. */
  get areNamed(): boolean {
    return this.secrets.length > 1
  }

  /** The secret that the newest line must be sealed with. */
  get newest(): SealedWith {
    return this.secrets.at(-1) ?? 'no secret'
  }

  /**
   * Finds the secret of a line: the one that it names by `keyId`, the one of the line before, a later one, an earlier one.
   * Returns `undefined` if the hash is not right under any.
   */
  find(line: Buffer, stated: string, before: SealedWith | undefined, keyId?: string): SealedWith | undefined {
    const content = withoutHash(line)
    if (keyId === undefined && before !== undefined && hashOf(content, before) === stated) return before
    const isBy = (by: SealedWith): boolean => hashOf(content, by) === stated
    const named = keyId === undefined ? undefined : this.secrets.find((secret) => secret.keyId === keyId)
    for (const by of [named, before]) if (by !== undefined && isBy(by)) return by
    const place = before === undefined || before === 'no secret' ? 0 : before.place
    const others = [...this.secrets.slice(place), ...this.secrets.slice(0, place)]
    return others.find(isBy) ?? (isBy('no secret') ? 'no secret' : undefined)
  }

  /** Computes the hash that the line must have. */
  expected(line: Buffer, by: SealedWith): string {
    return hashOf(withoutHash(line), by)
  }
}

function hashOf(content: Buffer, by: SealedWith): string {
  return sealHash(content, by === 'no secret' ? undefined : by.secret)
}

function listOf(given: Secret | readonly NamedSecret[] | undefined): readonly NamedSecret[] {
  if (given === undefined) return []
  if (typeof given === 'string' || given instanceof Uint8Array) return [{ keyId: '', secret: given }]
  if (!Array.isArray(given) || given.length === 0) {
    throw new AuditInvalidKey('`secret` is neither a secret nor a list of `{ keyId, secret }`, the oldest first')
  }
  const names = new Set(given.map(({ keyId }) => keyId))
  if (names.size < given.length) {
    throw new AuditInvalidKey('two secrets have the same `keyId`; one that was used again needs a `keyId` of its own')
  }
  return given
}

/**
 * Reads an Ed25519 public key.
 *
 * @throws `FST_AUDIT_INVALID_KEY` when it is not one.
 */
export function publicKeyOf(key: KeyObject | string): KeyObject {
  const remedy = 'give an Ed25519 public key as a KeyObject or in PEM'
  const publicKey = typeof key === 'string' ? parsed(key) : key
  if (!(publicKey instanceof KeyObject) || publicKey.asymmetricKeyType !== 'ed25519') throw new AuditInvalidKey(remedy)
  // A verifier must not be able to sign.
  if (publicKey.type !== 'public') throw new AuditInvalidKey(`it is the private one; ${remedy}`)
  return publicKey
}

function parsed(pem: string): KeyObject | undefined {
  if (pem.includes('PRIVATE KEY')) throw new AuditInvalidKey('it is the private one; give the public one')
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw Object.assign(new AuditInvalidKey('it is not a public key in PEM'), { cause })
  }
}

/** The bytes that were hashed: the line without its member `hash`. */
function withoutHash(line: Buffer): Buffer {
  const content = Buffer.from(line.subarray(0, line.length - HASH_BYTES + 1))
  content[content.length - 1] = BRACE
  return content
}
