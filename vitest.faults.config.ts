import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { shared, testsIn } from './vitest.shared.js'

/** The suite's properties, which are tried this many times as often. */
const RUNS = '10'
const properties = testsIn('test').filter((file) =>
  readFileSync(new URL(file, import.meta.url), 'utf8').includes('/support/runs.js'),
)

/** The long tests: each makes one kind of fault happen many times, or tries a property with many more values. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/**/*.fault.ts', ...properties],
    env: { AUDIT_TEST_RUNS: RUNS },
    testTimeout: 300_000,
  },
})
