import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'

/**
 * The things that Fastify does not publish: read only, and where a later version keeps them elsewhere the answer is the
 * safe one.
 */

/** Whether a hook was registered before the plugin that may reply before the plugin's own hook has run. */
export function hasEarlierHooks(app: FastifyInstance): boolean {
  const hooks = readInternal(app, 'fastify.hooks', 'onRequest')
  return !Array.isArray(hooks) || hooks.length > 0
}

/** The server's `frameworkErrors` option; `null` when it has none, undefined when nobody knows. */
export function frameworkErrorsOption(app: FastifyInstance): unknown {
  const root = rootOf(app)
  const options = readInternal(root, 'fastify.options')
  if (typeof options !== 'object' || options === null) return undefined
  return Reflect.get(options, 'frameworkErrors') ?? null
}

/** A route's `config`, which Fastify gives its `url`; a 404 has neither. */
type RouteConfig = FastifyContextConfig & { url?: string | undefined }

/**
 * Makes a reader of `request.routeOptions.config` for one server's requests. Fastify makes an object of twelve for each
 * look at `routeOptions`, a third of what an excluded request costs.
 */
export function routeConfigReader(): (request: FastifyRequest) => RouteConfig | undefined {
  let key: symbol | null | undefined
  return (request) => {
    if (key === undefined) key = routeContextKey(request)
    if (key === null) return request.routeOptions.config
    const context: { config?: RouteConfig } | undefined = Reflect.get(request, key)
    return context?.config
  }
}

/** Where a request keeps its route; null unless that gives what is published. */
function routeContextKey(request: FastifyRequest): symbol | null {
  const { config } = request.routeOptions
  const key = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'fastify.context')
  const context: unknown = key === undefined ? undefined : Reflect.get(request, key)
  if (key === undefined || config === undefined || typeof context !== 'object' || context === null) return null
  return Reflect.get(context, 'config') === config ? key : null
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
