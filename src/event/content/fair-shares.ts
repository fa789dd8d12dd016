/** A piece of JSON that was written into a limited room. */
export interface Sized {
  readonly bytes: number
  /** The bytes that it takes without a limit; a lower bound if they are not known. */
  readonly whole: number
  /** True if a larger room holds more of it. */
  readonly isCut: boolean
}

/**
 * Gives each part an equal share of the room; what small parts leave goes to larger ones. `parts` are the values as
 * written first, each in an equal share or in more; those that are cut, or larger than their share, are written again.
 * Returns the room that is left.
 */
export function fitShares<Value, Part extends Sized>(
  parts: Part[],
  values: readonly Value[],
  room: number,
  write: (value: Value, share: number) => Part,
): number {
  const all = values.map((value, index) => ({ value, index, whole: parts[index]?.whole ?? 0 }))
  all.sort((one, other) => one.whole - other.whole)
  let left = room
  for (const [done, { value, index }] of all.entries()) {
    const share = Math.floor(left / (all.length - done))
    let part = parts[index]
    if (part === undefined || part.isCut || part.bytes > share) {
      part = write(value, share)
      parts[index] = part
    }
    left -= part.bytes
  }
  return left
}
