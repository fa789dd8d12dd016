/** A piece of JSON. */
export interface Sized {
  readonly bytes: number
}

/**
 * Gives each part an equal share of the room; what small parts leave goes to larger ones. `parts` are the values as
 * written in the whole room; those larger than their share are written again. Returns the room that is left.
 */
export function fitShares<Value, Part extends Sized>(
  parts: Part[],
  values: readonly Value[],
  room: number,
  write: (value: Value, share: number) => Part,
): number {
  const all = values.map((value, index) => ({ value, index, bytes: parts[index]?.bytes ?? 0 }))
  all.sort((one, other) => one.bytes - other.bytes)
  let left = room
  for (const [done, { value, index, bytes }] of all.entries()) {
    const share = Math.floor(left / (all.length - done))
    if (bytes <= share) left -= bytes
    else {
      const part = write(value, share)
      parts[index] = part
      left -= part.bytes
    }
  }
  return left
}
