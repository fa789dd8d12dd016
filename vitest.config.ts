import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Another Fastify than the installed one: its folder, as `scripts/test-fastifies` says it.
const { AUDIT_TEST_FASTIFY: fastify } = process.env

export default defineConfig({
  resolve: {
    alias: [
      ...(fastify === undefined ? [] : [{ find: /^fastify$/, replacement: `${fastify}/fastify.js` }]),
      { find: /^fastify-audit-log$/, replacement: fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
      {
        find: /^fastify-audit-log\/testing$/,
        replacement: fileURLToPath(new URL('./src/testing.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Bounds what hangs, and nothing else: a test that waits in vain fails by name, however busy the machine is.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 200_000 } },
    // Real processes: a file that crashes, changes its umask or holds a lock disturbs no other.
    pool: 'forks',
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary'],
    },
  },
})
