/** The factor of the long tests (`vitest.faults.config.ts`). */
const { AUDIT_TEST_RUNS: factor = '1' } = process.env

/** The number of runs of a property: `count` in the suite, many times that in the long tests. */
export function runs(count: number): number {
  return count * Number(factor)
}
