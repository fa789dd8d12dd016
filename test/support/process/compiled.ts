import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import { root } from '../markdown.js'

const MAIN = fileURLToPath(new URL('./server-main.ts', import.meta.url))

/**
 * Compiles a program, the server if none is named, with what it imports, and resolves with its path: node starts it in
 * half the time that it takes with a loader. To be called while tests are collected: both are removed after those of the file.
 */
export async function compiled(main = MAIN): Promise<string> {
  // Inside the project, so that the packages it imports are found.
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'compiled-server-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const config = {
    extends: relative(folder, join(root, 'tsconfig.json')),
    compilerOptions: { noEmit: false, noCheck: true, rootDir: root, outDir: '.', paths: {} },
    include: [],
    files: [main],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  // The plugin reads its version there.
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', folder])
  return join(folder, relative(root, main)).replace(/\.ts$/, '.js')
}
