import type { FastifyInstance } from 'fastify'
import type { RouterFolding } from './path.js'

/**
 * Reads the router's folding from a server's `initialConfig`.
 *
 * Fastify fills the defaults of `routerOptions` in there, so that an option left out of it and set beside it cannot
 * be told from one turned off in it: it counts as on. Folding more than the router does hides no route from a rule.
 */
export function routerFolding(initialConfig: FastifyInstance['initialConfig']): RouterFolding {
  const { routerOptions } = initialConfig
  const isOn = (key: keyof RouterFolding) => isTrue(routerOptions, key) || isTrue(initialConfig, key)
  return {
    caseSensitive: (routerOptions?.caseSensitive ?? initialConfig.caseSensitive) !== false,
    ignoreTrailingSlash: isOn('ignoreTrailingSlash'),
    ignoreDuplicateSlashes: isOn('ignoreDuplicateSlashes'),
    useSemicolonDelimiter: isOn('useSemicolonDelimiter'),
  }
}

/** Fastify's types do not know every key that `routerOptions` takes. */
function isTrue(options: object | undefined, key: keyof RouterFolding): boolean {
  return options !== undefined && Reflect.get(options, key) === true
}
