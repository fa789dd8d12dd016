/** Returns the quantile of the numbers, interpolated between two neighbours; NaN without numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place % 1)
}

/** Formats the median and the quartiles, as `0.86 (0.85 – 0.88)`. */
export function spread(numbers: readonly number[], digits: number): string {
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantile(numbers, share).toFixed(digits))
  return `${median} (${lower} – ${upper})`
}

/** Divides each number by the one of the same round. */
export function ratios(numbers: readonly number[], to: readonly number[]): number[] {
  return numbers.map((number, round) => number / (to[round] ?? Number.NaN))
}

/** Subtracts from each number the one of the same round. */
export function differences(numbers: readonly number[], to: readonly number[]): number[] {
  return numbers.map((number, round) => number - (to[round] ?? Number.NaN))
}
