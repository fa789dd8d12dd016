/** A status, or a class of statuses such as `2xx`. */
export const STATUS_PATTERN = /^(?:[1-5]xx|[1-5]\d\d)$/

/** More than the largest status. */
const TABLE = 600

/** The first status that a pattern stands for. */
export function firstStatus(pattern: string): number {
  return Number(pattern.replace('xx', '00'))
}

/** Has 1 at each status that a pattern stands for. */
export function statusTable(patterns: readonly string[]): Uint8Array {
  const table = new Uint8Array(TABLE)
  for (const pattern of patterns) {
    const first = firstStatus(pattern)
    table.fill(1, first, pattern.endsWith('xx') ? first + 100 : first + 1)
  }
  return table
}
