import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PACKAGES } from '../compat/suites.js'
import { read, root } from '../support/markdown.js'

const PAGE = 'docs/compatibility.md'
const HEAVY = 'test/libraries/heavy'

interface Lockfile {
  packages: Record<string, { version?: string }>
}

const locks: Lockfile[] = ['package-lock.json', `${HEAVY}/package-lock.json`].map((file) => JSON.parse(read(file)))

/** The version that is installed of a library. */
function installed(name: string): string | undefined {
  return locks.map(({ packages }) => packages[`node_modules/${name}`]?.version).find((version) => version !== undefined)
}

/** The table's rows: library and version. */
const rows = new Map(
  [...read(PAGE).matchAll(/^\| `([^`]+)` \| ([^ ]+) \|/gm)].map(([, name = '', version = '']) => [name, version]),
)

/** What a test of libraries imports, but for what all of them need. */
function tested(): string[] {
  const files = ['test/libraries', HEAVY].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`${folder}/${name}`)),
  )
  const imported = files.flatMap((text) => [...text.matchAll(/ from '((?:@[^/']+\/)?[^./'@][^/']*)/g)])
  const helpers = ['fastify', 'fastify-plugin', 'vitest', 'rxjs', '@nestjs/common', '@nestjs/core']
  return [...new Set(imported.map(([, name = '']) => name))].filter(
    (name) => !helpers.includes(name) && !name.startsWith('node:') && !name.startsWith('@opentelemetry/'),
  )
}

describe(PAGE, () => {
  it('has the versions that are installed', () => {
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries([...rows.keys()].map((name) => [name, installed(name)])),
    )
  })

  it('has every library that is tested, and no other, in order', () => {
    expect([...rows.keys()]).toEqual(tested().sort())
  })

  it('has the packages whose own tests run with the audit, with the versions that are installed', () => {
    const { packages }: Lockfile = JSON.parse(read('test/compat/packages/package-lock.json'))
    const [, section = ''] = read(PAGE).split('## The tests of Fastify and of its plugins')
    const listed = [...section.matchAll(/`([\w-]+)`\s(\d+\.\d+\.\d+)/g)].map(([, name, version]) => [
      `@fastify/${name}`,
      version,
    ])
    const [, fastify] = /^Fastify (\S+),/m.exec(section) ?? []
    expect([['fastify', fastify], ...listed]).toEqual(
      PACKAGES.map((name) => [name, packages[`node_modules/${name}`]?.version]),
    )
  })

  it("has the version of Nest's own Fastify", () => {
    const [, heavy] = locks
    const { version } = heavy?.packages['node_modules/@nestjs/platform-fastify/node_modules/fastify'] ?? {}
    expect(read(PAGE)).toContain(`Nest's own Fastify, ${version};`)
  })
})
