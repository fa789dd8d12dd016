import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'

// Another Fastify than the installed one: its folder, as `scripts/test-fastifies` says it.
const { AUDIT_TEST_FASTIFY: fastify } = process.env

/** What the suite, the long tests and those of the heavier libraries have in common. */
export const shared = {
  resolve: {
    alias: [
      ...(fastify === undefined ? [] : [{ find: /^fastify$/, replacement: `${fastify}/fastify.js` }]),
      { find: /^fastify-audit-log$/, replacement: fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
      ...['standalone', 'testing'].map((entry) => ({
        find: new RegExp(`^fastify-audit-log/${entry}$`),
        replacement: fileURLToPath(new URL(`./src/${entry}.ts`, import.meta.url)),
      })),
    ],
  },
  test: {
    // Bounds what hangs, and nothing else: a test that waits in vain fails by name, however busy the machine is.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 200_000 } },
    // Real processes: a file that crashes, changes its umask or holds a lock disturbs no other.
    pool: 'forks',
  },
} satisfies ViteUserConfig

/** The tests of the suite in a folder and below it. */
export function testsIn(folder: string): string[] {
  const files = readdirSync(new URL(`./${folder}/`, import.meta.url), { encoding: 'utf8', recursive: true })
  return files.filter((file) => file.endsWith('.test.ts')).map((file) => `${folder}/${file}`)
}
