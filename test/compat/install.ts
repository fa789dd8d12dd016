import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MODULES } from './suites.js'

const PACKAGES = dirname(MODULES)
const LOCKFILE = join(PACKAGES, 'package-lock.json')
/** The lockfile that was installed last. */
const INSTALLED = join(MODULES, '.installed-lock.json')

/** Installs what the lockfile says, unless it is there already. */
export function install(): void {
  if (existsSync(INSTALLED) && readFileSync(INSTALLED).equals(readFileSync(LOCKFILE))) return
  console.log('Installing what the tests of Fastify and its plugins need')
  execFileSync('npm', ['ci', '--loglevel=error'], { cwd: PACKAGES, stdio: 'inherit' })
  copyFileSync(LOCKFILE, INSTALLED)
}

export function versionOf(name: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8'))
  return version
}
