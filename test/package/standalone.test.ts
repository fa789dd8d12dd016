import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { root } from '../support/markdown.js'

/** The packages that the program loads, by themselves free of Fastify: `@fastify/error` is a file without dependencies. */
const PACKAGES = ['@fastify/error', 'micromatch', 'zod']

describe('fastify-audit-log/standalone', () => {
  it('loads nothing of Fastify', async () => {
    const { metafile } = await build({
      entryPoints: [join(root, 'src/standalone.ts')],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
    })
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
    const packages = imports.map(({ path }) => path).filter((path) => !path.startsWith('node:'))
    expect([...new Set(packages)].sort()).toEqual(PACKAGES)
    const sources = Object.keys(metafile.inputs).filter((path) => /\/(plugin|exchange|cli|reader)\//.test(path))
    expect(sources).toEqual([])
  })

  it('has types that name nothing of Fastify', () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-types-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const options = ['--emitDeclarationOnly', '--declarationMap', 'false', '--outDir', folder]
    execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...options])
    // The walk finds what it looks for where it is: the plugin's types do need Fastify.
    expect(namedBy(join(folder, 'index.d.ts'))).toContain('fastify')
    const packages = namedBy(join(folder, 'standalone.d.ts')).filter((name) => !name.startsWith('node:'))
    expect(packages.filter((name) => !PACKAGES.includes(name))).toEqual([])
  })
})

/** The packages that a file of types names, or a file that it imports. */
function namedBy(file: string): string[] {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    // Comments hold examples that import Fastify.
    const text = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
    for (const [, name = ''] of text.matchAll(/(?:\bfrom |\bimport\(|\bimport )['"]([^'"]+)['"]/g)) {
      const next = join(dirname(path), name.replace(/\.js$/, '.d.ts'))
      if (!name.startsWith('.')) packages.add(name)
      else if (existsSync(next)) visit(next)
    }
  }
  visit(file)
  return [...packages]
}
