import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Built } from './run-file.js'
import { MODULES } from './suites.js'

const PLUGIN = join(import.meta.dirname, '../../dist/index.js')

/** Builds what the test processes load. The plugin is the one that was built to be published. */
export async function buildForTests(): Promise<Built> {
  if (!existsSync(PLUGIN)) throw new Error('The plugin is not built: npm run build')
  const outdir = join(MODULES, '.cache')
  const options = { bundle: true, platform: 'node', outdir, logLevel: 'warning' } as const
  await build({
    ...options,
    entryPoints: [join(import.meta.dirname, 'preload.ts')],
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    alias: { 'fastify-audit-log': PLUGIN },
    external: [PLUGIN],
  })
  await build({
    ...options,
    entryPoints: [join(import.meta.dirname, 'reporter.ts')],
    format: 'esm',
    outExtension: { '.js': '.mjs' },
  })
  return { preload: join(outdir, 'preload.cjs'), reporter: join(outdir, 'reporter.mjs') }
}
