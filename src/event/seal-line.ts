import { createHmac, hash } from 'node:crypto'

/** The `prev` of the first line of a chain. */
export const GENESIS = '0'.repeat(64)

/** How a sealed line ends: these two members are its last, in every format. */
const ENDING = /,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/

/** The bytes of those two members and the brace: no more of a line's end is looked at. */
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
 * Whether a line has a seal, by its form: what a sink of your own answers `tail({ sealed: true })` by.
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
