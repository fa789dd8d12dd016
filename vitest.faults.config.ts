import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The long tests: each makes one kind of fault happen many times. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/**/*.fault.ts'], testTimeout: 300_000 },
})
