import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** A signed statement that a chain has reached a line. Kept elsewhere, it shows whether lines were cut off later. */
export interface Checkpoint {
  /** The sink's name in the options. */
  sink: string
  /** The run of the server that wrote the line. */
  instance: string
  /** The line's `seq`. */
  seq: number
  /** The line's `hash`. */
  hash: string
  /** The time of the signature. */
  time: string
  algorithm: 'ed25519'
  /** SHA-256 of the public key in DER, in hex. */
  key_id: string
  /** Ed25519, in base64, over a first line and the values above `algorithm`, each on a line of its own. */
  signature: string
}

/** Keeps a checkpoint elsewhere; a closing server waits for the last one. */
export type CheckpointFunction = (checkpoint: Checkpoint) => void | Promise<void>

type Statement = Pick<Checkpoint, 'sink' | 'instance' | 'seq' | 'hash' | 'time'>

/** The fingerprint of the public key, from either key of a pair. */
export function keyIdOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

export function signCheckpoint(statement: Statement, privateKey: KeyObject): Checkpoint {
  const key_id = keyIdOf(privateKey)
  const signature = sign(null, textOf(statement), privateKey).toString('base64')
  const { sink, instance, seq, hash, time } = statement
  return { sink, instance, seq, hash, time, algorithm: 'ed25519', key_id, signature }
}

/** Says whether a checkpoint was signed with the private key of this public one. */
export function isSigned(checkpoint: Checkpoint, publicKey: KeyObject): boolean {
  return verify(null, textOf(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'base64'))
}

/** Reads a checkpoint; `undefined` if the value does not have the form of one. */
export function asCheckpoint(value: unknown): Checkpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const member = (key: string): unknown => Reflect.get(value, key)
  const text = (key: string): string | undefined => {
    const found = member(key)
    // A line break would let one statement be read as another.
    return typeof found === 'string' && !/[\r\n]/.test(found) ? found : undefined
  }
  const [sink, instance, hash] = [text('sink'), text('instance'), text('hash')]
  const [time, key_id, signature] = [text('time'), text('key_id'), text('signature')]
  const seq = member('seq')
  if (member('algorithm') !== 'ed25519' || typeof seq !== 'number' || !Number.isSafeInteger(seq)) return undefined
  if (sink === undefined || instance === undefined || hash === undefined) return undefined
  if (time === undefined || key_id === undefined || signature === undefined) return undefined
  return { sink, instance, seq, hash, time, algorithm: 'ed25519', key_id, signature }
}

function textOf({ sink, instance, seq, hash, time }: Statement): Buffer {
  return Buffer.from(`fastify-audit-log checkpoint 1\n${sink}\n${instance}\n${seq}\n${hash}\n${time}\n`)
}
