import type { FastifyInstance } from 'fastify'

/**
 * Reads three values that Fastify does not publish. If a later version keeps them elsewhere, each function returns the
 * safe answer.
 */

/** Returns true if an earlier hook may reply before the plugin's own hook runs. */
export function hasEarlierHooks(app: FastifyInstance): boolean {
  const hooks = readInternal(app, 'fastify.hooks', 'onRequest')
  return !Array.isArray(hooks) || hooks.length > 0
}

/** Returns the router's configuration. In Fastify 5.5 and 5.6, `initialConfig` lacks `caseSensitive`. */
export function routerConfig(app: FastifyInstance): FastifyInstance['initialConfig'] {
  const { initialConfig } = app
  if (initialConfig.routerOptions === undefined) return initialConfig
  const own = readInternal(rootOf(app), 'fastify.options', 'routerOptions')
  const caseSensitive = typeof own === 'object' && own !== null ? Reflect.get(own, 'caseSensitive') : undefined
  if (typeof caseSensitive !== 'boolean') return initialConfig
  return { ...initialConfig, routerOptions: { ...initialConfig.routerOptions, caseSensitive } }
}

/** Returns the server's `frameworkErrors` option; null if it has none, undefined if that cannot be determined. */
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

/** Returns true if an instance is the server itself, not an encapsulated context. */
export function isRoot(app: FastifyInstance): boolean {
  return Object.getPrototypeOf(app) === Object.prototype
}

/** Returns the server of an instance: the prototype of an encapsulated context is its parent. */
export function rootOf(app: FastifyInstance): FastifyInstance {
  let root = app
  while (!isRoot(root)) root = Object.getPrototypeOf(root)
  return root
}
