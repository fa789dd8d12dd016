import { readdirSync, readFileSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.js'

/** Folders whose files leave no trace in a process, so that one runs many of them: starting another costs more than most. */
const TRACELESS = ['event', 'exchange', 'libraries', 'options', 'policy', 'reader', 'redact', 'transparency']

const traceless = TRACELESS.flatMap(testsIn).filter((file) => !mocksModules(file))

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

function testsIn(folder: string): string[] {
  const files = readdirSync(new URL(`./test/${folder}/`, import.meta.url), { encoding: 'utf8', recursive: true })
  return files.filter((file) => file.endsWith('.test.ts')).map((file) => `test/${folder}/${file}`)
}

/** A module that another file has loaded is not replaced. */
function mocksModules(file: string): boolean {
  return readFileSync(new URL(file, import.meta.url), 'utf8').includes('vi.mock(')
}
