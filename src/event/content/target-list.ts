/** The most items of a list that are looked at: many may be the same target, and a client may have chosen the list. */
export const MOST_LISTED = 1024

/** Returns the items of what should be a target or a list of them; of a long list, one more than are looked at. */
export function targetList(given: unknown): readonly unknown[] {
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) return [given]
  const list: ArrayLike<unknown> = given
  // By index: an array of the application's own kind may have any methods.
  return Array.from({ length: Math.min(list.length, MOST_LISTED + 1) }, (_, index) => list[index])
}
