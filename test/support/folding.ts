import type { RouterFolding } from '../../src/policy/path.js'

/** Fastify's own router, unless it is told otherwise. */
export const plain: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

/** A router that is told to fold whatever it can. */
export const foldsAll: RouterFolding = {
  caseSensitive: false,
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  useSemicolonDelimiter: true,
}
