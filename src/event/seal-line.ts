/** What the first line of a chain has for the `hash` of the line before it. */
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

/** What a line's last `ENDING_BYTES`, or more, say of its place in a chain; `undefined` when it is in none. */
export function sealOf(ending: string): LineSeal | undefined {
  const match = ENDING.exec(ending.slice(-ENDING_BYTES))
  const [, prev, hash] = match ?? []
  return prev === undefined || hash === undefined ? undefined : { prev, hash }
}
