import { readFileSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { shared, testsIn } from './vitest.shared.js'

/** Folders whose files leave no trace in a process, so that one runs many of them: starting another costs more than most. */
const TRACELESS = ['event', 'exchange', 'libraries', 'options', 'policy', 'reader', 'redact', 'transparency']

const traceless = TRACELESS.flatMap((folder) => testsIn(`test/${folder}`)).filter((file) => !mocksModules(file))

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    projects: [
      { extends: true, test: { name: 'together', include: traceless, isolate: false } },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...traceless],
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary'],
    },
  },
})

/** A module that another file has loaded is not replaced. */
function mocksModules(file: string): boolean {
  return readFileSync(new URL(file, import.meta.url), 'utf8').includes('vi.mock(')
}
