/** The number below which this share of the numbers lies, interpolated between its two neighbours; NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place % 1)
}

/** The median, and between which numbers the middle half lies, as `0.86 (0.85 – 0.88)`. */
export function spread(numbers: readonly number[], digits: number): string {
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantile(numbers, share).toFixed(digits))
  return `${median} (${lower} – ${upper})`
}

/** Each number divided by the one of the same round. */
export function ratios(numbers: readonly number[], to: readonly number[]): number[] {
  return numbers.map((number, round) => number / (to[round] ?? Number.NaN))
}

/** Each number less the one of the same round. */
export function differences(numbers: readonly number[], to: readonly number[]): number[] {
  return numbers.map((number, round) => number - (to[round] ?? Number.NaN))
}
