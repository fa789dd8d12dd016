/** What the long tests multiply by (`vitest.faults.config.ts`). */
const { AUDIT_TEST_RUNS: factor = '1' } = process.env

/** How often to try a property: `count` times in the suite, many times that in the long tests. */
export function runs(count: number): number {
  return count * Number(factor)
}
