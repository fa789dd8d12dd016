import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The heavier libraries: `npm run test:libraries` installs them first. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/libraries/heavy/*.heavy.ts'] },
})
