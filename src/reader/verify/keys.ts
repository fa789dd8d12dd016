import { createPublicKey, KeyObject } from 'node:crypto'
import { AuditInvalidKey } from '../../errors.js'
import { HASH_BYTES, sealHash } from '../../event/seal-line.js'

/** A secret that lines were sealed with: at least 32 bytes. */
export type Secret = string | Uint8Array

/** How a line was sealed: with the secret of this name, or with none. */
export type SealedWith = { readonly keyId: string } | 'no secret'

const BRACE = 0x7d

/** What lines are verified with: the given secrets, or a plain hash where none is. */
export class SealKeys {
  private readonly secrets: ReadonlyMap<string, Secret>

  constructor(secret: Secret | Readonly<Record<string, Secret>> | undefined) {
    if (secret === undefined) this.secrets = new Map()
    else if (typeof secret === 'string' || secret instanceof Uint8Array) this.secrets = new Map([['', secret]])
    else this.secrets = new Map(Object.entries(secret))
  }

  /** Whether every line must be sealed with a secret. */
  get areSecret(): boolean {
    return this.secrets.size > 0
  }

  /** How a line was sealed, `likely` that way; `undefined` when it is not what was sealed, as far as is known here. */
  find(line: Buffer, stated: string, likely: SealedWith | undefined): SealedWith | undefined {
    const content = withoutHash(line)
    if (likely !== undefined && this.hash(content, likely) === stated) return likely
    for (const keyId of this.secrets.keys()) {
      if (this.hash(content, { keyId }) === stated) return { keyId }
    }
    return this.hash(content, 'no secret') === stated ? 'no secret' : undefined
  }

  /** What the line's hash would have to be. */
  expected(line: Buffer, by: SealedWith): string {
    return this.hash(withoutHash(line), by)
  }

  private hash(content: Buffer, by: SealedWith): string {
    return sealHash(content, by === 'no secret' ? undefined : this.secrets.get(by.keyId))
  }
}

/**
 * The Ed25519 public key in `key`.
 *
 * @throws `FST_AUDIT_INVALID_KEY` when it is another key, or none.
 */
export function publicKeyOf(key: KeyObject | string): KeyObject {
  const remedy = 'give an Ed25519 public key as a KeyObject or in PEM'
  const publicKey = typeof key === 'string' ? parsed(key) : key
  if (!(publicKey instanceof KeyObject) || publicKey.asymmetricKeyType !== 'ed25519') throw new AuditInvalidKey(remedy)
  // What verifies need not be able to sign.
  if (publicKey.type !== 'public') throw new AuditInvalidKey(`it is the private one; ${remedy}`)
  return publicKey
}

function parsed(pem: string): KeyObject | undefined {
  if (pem.includes('PRIVATE KEY')) throw new AuditInvalidKey('it is the private one; give the public one')
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw Object.assign(new AuditInvalidKey('it is no public key in PEM'), { cause })
  }
}

/** The bytes that were hashed: the line without its member `hash`. */
function withoutHash(line: Buffer): Buffer {
  const content = Buffer.from(line.subarray(0, line.length - HASH_BYTES + 1))
  content[content.length - 1] = BRACE
  return content
}
