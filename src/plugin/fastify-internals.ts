import type { FastifyInstance } from 'fastify'

/**
 * The three things that Fastify does not publish: read only, and where a later version keeps them elsewhere the answer
 * is the safe one.
 */

/** Whether a hook was registered before the plugin that may reply before the plugin's own hook has run. */
export function hasEarlierHooks(app: FastifyInstance): boolean {
  const hooks = readInternal(app, 'fastify.hooks', 'onRequest')
  return !Array.isArray(hooks) || hooks.length > 0
}

/** The configuration of the server's router: `initialConfig` of Fastify 5.5 and 5.6 leaves `caseSensitive` out. */
export function routerConfig(app: FastifyInstance): FastifyInstance['initialConfig'] {
  const { initialConfig } = app
  if (initialConfig.routerOptions === undefined) return initialConfig
  const own = readInternal(rootOf(app), 'fastify.options', 'routerOptions')
  const caseSensitive = typeof own === 'object' && own !== null ? Reflect.get(own, 'caseSensitive') : undefined
  if (typeof caseSensitive !== 'boolean') return initialConfig
  return { ...initialConfig, routerOptions: { ...initialConfig.routerOptions, caseSensitive } }
}

/** The server's `frameworkErrors` option; `null` when it has none, undefined when nobody knows. */
export function frameworkErrorsOption(app: FastifyInstance): unknown {
  const root = rootOf(app)
  const options = readInternal(root, 'fastify.options')
  if (typeof options !== 'object' || options === null) return undefined
  return Reflect.get(options, 'frameworkErrors') ?? null
}

function readInternal(app: object, description: string, key?: string): unknown {
  const symbol = Object.getOwnPropertySymbols(app).find((candidate) => candidate.description === description)
  const value: unknown = symbol === undefined ? undefined : Reflect.get(app, symbol)
  if (key === undefined) return value
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

/** Whether an instance is the server itself, and not a plugin's part of it. */
export function isRoot(app: FastifyInstance): boolean {
  return Object.getPrototypeOf(app) === Object.prototype
}

/** The server that an instance is a part of: each part has its parent as its prototype. */
export function rootOf(app: FastifyInstance): FastifyInstance {
  let root = app
  while (!isRoot(root)) root = Object.getPrototypeOf(root)
  return root
}
