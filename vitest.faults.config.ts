import { defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.js'

/** The long tests: each makes one kind of fault happen many times. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ['test/**/*.fault.ts'], testTimeout: 300_000 },
})
