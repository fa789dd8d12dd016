import { defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.js'

/** The heavier libraries: `npm run test:libraries` installs them first. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ['test/libraries/heavy/*.heavy.ts'] },
})
