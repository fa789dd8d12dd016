/** The ways in which a server's router folds a URL before it looks for a route. */
export interface RouterFolding {
  caseSensitive: boolean
  ignoreTrailingSlash: boolean
  ignoreDuplicateSlashes: boolean
  useSemicolonDelimiter: boolean
}

/** Folds nothing. */
export const NO_FOLDING: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

const HASH = 0x23
const PERCENT = 0x25
const SLASH = 0x2f
const SEMICOLON = 0x3b
const QUESTION = 0x3f

/**
 * The URL as it reached the router, up to its query or fragment; nothing is decoded or removed.
 * Its canonical path is that of the URL.
 */
export function rawPath(url: string, folding: RouterFolding): string {
  // The router takes the first character for the slash, whatever it is (HTTP/2, `rewriteUrl`).
  const start = url.charCodeAt(0) === SLASH ? 1 : Math.max(1, authorityEnd(url))
  for (let index = start; index < url.length; index++) {
    if (isDelimiter(url.charCodeAt(index), folding)) return url.slice(0, index)
  }
  return url
}

/**
 * The path that the router looks for, with the reserved characters decoded too, but for `%2F`: without scheme,
 * authority, query and fragment, decoded once, and folded as the router folds it. Two URLs that the router sends to
 * one static route have the same. Never throws: a URL that the router refuses is left undecoded.
 */
export function canonicalPath(url: string, folding: RouterFolding): string {
  const path = url.charCodeAt(0) === SLASH ? url : withoutAuthority(url)
  const end = plainEnd(path, folding)
  if (end === path.length) return path
  return end === -1 ? folded(rawPath(path, folding), folding) : path.slice(0, end)
}

/** A path as the client spelled it, and as the router reads it; in lower case where the router ignores case. */
export interface Spellings {
  readonly raw: string
  readonly canonical: string
}

export function spellings(url: string, folding: RouterFolding): Spellings {
  const sent = rawPath(url, folding)
  return { raw: folding.caseSensitive ? sent : sent.toLowerCase(), canonical: canonicalPath(sent, folding) }
}

function isDelimiter(code: number, folding: RouterFolding): boolean {
  return code === QUESTION || code === HASH || (code === SEMICOLON && folding.useSemicolonDelimiter)
}

/** Returns the end of the authority of an `http://` or `https://` URL; 0 for any other URL, as in the router. */
function authorityEnd(url: string): number {
  const scheme = /^https?:\/\//i.exec(url)
  if (scheme === null) return 0
  let index = scheme[0].length
  for (; index < url.length; index++) {
    const code = url.charCodeAt(index)
    // A slash after `#` must not pass for the start of the path.
    if (code === SLASH || code === QUESTION || code === HASH) break
  }
  return index
}

function withoutAuthority(url: string): string {
  const start = authorityEnd(url)
  if (start === 0) return url
  return url.charCodeAt(start) === SLASH ? url.slice(start) : `/${url.slice(start)}`
}

/** Returns the end of a path that needs no folding, or -1 if it may need some: most requests take only this pass. */
function plainEnd(path: string, folding: RouterFolding): number {
  if (path.charCodeAt(0) !== SLASH) return -1
  const { caseSensitive, ignoreDuplicateSlashes } = folding
  let end = path.length
  let previous = 0
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index)
    if (isDelimiter(code, folding)) {
      end = index
      break
    }
    if (code === PERCENT) return -1
    if (ignoreDuplicateSlashes && code === SLASH && previous === SLASH) return -1
    if (!caseSensitive && ((code >= 0x41 && code <= 0x5a) || code > 0x7f)) return -1
    previous = code
  }
  return folding.ignoreTrailingSlash && end > 1 && previous === SLASH ? -1 : end
}

/** The router's own steps in the router's own order, so that what it takes for equal is equal here. */
function folded(raw: string, folding: RouterFolding): string {
  let path = decoded(raw)
  if (folding.ignoreDuplicateSlashes) path = path.replace(/\/{2,}/g, '/')
  if (folding.ignoreTrailingSlash && path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
  if (!folding.caseSensitive) path = path.toLowerCase()
  if (path !== '' && path.charCodeAt(0) !== SLASH) path = `/${path.slice(1)}`
  return decodedReserved(path, folding.caseSensitive ? '%2F' : '%2f')
}

/** Decodes all but the characters that have a meaning in a URL, and `%` itself. */
function decoded(path: string): string {
  if (path.indexOf('%', 1) === -1) return path
  try {
    return decodeURI(path.charAt(0) + path.slice(1).replaceAll('%25', '%2525'))
  } catch (error) {
    // "/%zz": the router refuses it, so that no route is reached by it.
    if (error instanceof URIError) return path
    throw error
  }
}

/** Decodes what a handler finds decoded in its parameters; a slash in a parameter does not belong to the path. */
function decodedReserved(path: string, slash: string): string {
  if (!path.includes('%')) return path
  return path.replace(/%(?:2[3-6bcf]|3[abdf]|40)/gi, (escaped) => {
    const code = Number.parseInt(escaped.slice(1), 16)
    return code === SLASH ? slash : String.fromCharCode(code)
  })
}
