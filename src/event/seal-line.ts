import { createHmac, hash } from 'node:crypto'

/** The `prev` of the first line of a chain. */
export const GENESIS = '0'.repeat(64)

/** The end of a sealed line: its last two members, in every format. */
const ENDING = /,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/

/** The bytes of these two members and the brace. */
export const ENDING_BYTES = 149

/** The bytes of the member `hash`, its comma before it, and the brace. */
export const HASH_BYTES = 75

/** A line's place in its chain. */
export interface LineSeal {
  readonly prev: string
  readonly hash: string
}

/** Reads a line's place in its chain from its last `ENDING_BYTES`, or more; `undefined` if it has no seal. */
export function sealOf(ending: string): LineSeal | undefined {
  const match = ENDING.exec(ending.slice(-ENDING_BYTES))
  const [, prev, hash] = match ?? []
  return prev === undefined || hash === undefined ? undefined : { prev, hash }
}

/**
 * Says whether a line has the form of a sealed one. A sink of your own needs it for `tail({ sealed: true })`.
 *
 * @example
 * ```ts
 * import { isSealedLine } from 'fastify-audit-log'
 *
 * const lines = ['{"a":1}']
 * console.log(lines.findLast(isSealedLine)) // undefined
 * ```
 */
export function isSealedLine(line: string): boolean {
  return sealOf(line) !== undefined
}

/** The hash of a line without its member `hash`: an HMAC under a secret, otherwise one that everyone can compute. */
export function sealHash(content: string | Uint8Array, secret: string | Uint8Array | undefined): string {
  return secret === undefined ? hash('sha256', content) : createHmac('sha256', secret).update(content).digest('hex')
}
