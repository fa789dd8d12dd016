import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where the packages that are tested, and what their tests need, are installed. */
export const MODULES = join(import.meta.dirname, 'packages/node_modules')

export const PACKAGES = [
  'fastify',
  '@fastify/accepts',
  '@fastify/caching',
  '@fastify/circuit-breaker',
  '@fastify/compress',
  '@fastify/cookie',
  '@fastify/cors',
  '@fastify/etag',
  '@fastify/express',
  '@fastify/formbody',
  '@fastify/helmet',
  '@fastify/http-proxy',
  '@fastify/middie',
  '@fastify/multipart',
  '@fastify/rate-limit',
  '@fastify/reply-from',
  '@fastify/response-validation',
  '@fastify/sensible',
  '@fastify/sse',
  '@fastify/static',
  '@fastify/under-pressure',
  '@fastify/websocket',
]

const NAME = /\.test\.m?js$/

/** Packages whose test files have names of their own, or need what is not here. */
const NAMES: Readonly<Record<string, RegExp>> = {
  '@fastify/http-proxy': /^(?!utils)[\w.-]+\.js$/,
  // A Redis server.
  '@fastify/rate-limit': /^(?!redis).*\.test\.js$/,
}

export interface TestFile {
  /** Its path below `node_modules`, with slashes. */
  readonly name: string
  /** The folder of its package, where its test runner would be started. */
  readonly home: string
}

/** The test files of every package, in one order. */
export function testFiles(): TestFile[] {
  return PACKAGES.flatMap((name) => {
    const home = join(MODULES, name)
    const pattern = NAMES[name] ?? NAME
    return filesBelow(home, 'test', pattern).map((path) => ({ name: `${name}/${path}`, home }))
  })
}

function filesBelow(home: string, folder: string, pattern: RegExp): string[] {
  const entries = readdirSync(join(home, folder), { withFileTypes: true })
  const inside = entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'helper' ? [] : filesBelow(home, path, pattern)
    return pattern.test(entry.name) ? [path] : []
  })
  if (inside.length === 0 && folder === 'test') throw new Error(`${home} holds no tests`)
  return inside.sort()
}
