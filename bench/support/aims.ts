import { quantile } from './statistics.js'

/** The least number of slices that decide whether an aim is met. */
export const SLICES_OF_AIM = 20

/** An aim of `docs/benchmarks-method.md`: `least` where more is better, `most` where less is. */
export type Aim = { text: string; numbers: readonly number[] } & ({ least: number } | { most: number })

/**
 * Formats one line on an aim. The quartile on the wrong side decides, the lower one if more is better, the upper one if
 * less is better, so that three quarters of the slices meet an aim that is met.
 */
export function verdict(aim: Aim): string {
  const { text, numbers } = aim
  if (numbers.length < SLICES_OF_AIM) return `${text}: too few slices, ${numbers.length} of ${SLICES_OF_AIM}`
  const isMost = 'most' in aim
  const quartile = quantile(numbers, isMost ? 0.75 : 0.25)
  const isMet = isMost ? quartile <= aim.most : quartile >= aim.least
  const bound = isMost ? `at most ${aim.most.toFixed(2)}` : `at least ${aim.least.toFixed(2)}`
  return (
    `${text}: ${bound}; median ${quantile(numbers, 0.5).toFixed(3)}, ` +
    `${isMost ? 'upper' : 'lower'} quartile ${quartile.toFixed(3)}: ${isMet ? 'met' : 'not met'}`
  )
}
