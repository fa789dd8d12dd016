import { METHODS } from 'node:http'
import { compileGlob, expandBraces } from './glob.js'
import type { RouterFolding } from './path.js'

// Warnings at boot about patterns that match nothing that a client would send.

/** The title of a filter or a rule in a message: its name, or its place. */
export function titled(kind: 'Filter' | 'Rule', name: string | undefined, index: number): string {
  return name === undefined ? `${kind} ${index + 1}` : `${kind} ${JSON.stringify(name)}`
}

export function operationWarnings(pattern: string): string[] {
  const unmatched = expandBraces(pattern).filter((glob) => !METHODS.some(compileGlob(glob)))
  return unmatched.map(
    (glob) =>
      `operation ${JSON.stringify(glob)} matches no HTTP method; write one such as "GET", in upper case, or "*"`,
  )
}

export function targetWarnings(pattern: string): string[] {
  const unmatched = expandBraces(pattern).filter((glob) => !/[:*]/.test(glob))
  return unmatched.map((glob) => {
    const quoted = JSON.stringify(glob)
    return `target ${quoted} matches no target, which is its type, ":" and its id; write "${glob}:*" for every id`
  })
}

/** `effect` is what becomes of a pattern that does not match both spellings of any path. */
export function endpointWarnings(pattern: string, folding: RouterFolding, effect: string): string[] {
  return expandBraces(pattern).flatMap((glob) => {
    const problem = endpointMismatch(glob, folding)
    return problem === undefined ? [] : [`endpoint ${JSON.stringify(glob)} ${effect}: ${problem}`]
  })
}

/** Tells why a pattern matches no canonical path, or none that a client spells literally. */
function endpointMismatch(glob: string, folding: RouterFolding): string | undefined {
  const delimiter = (folding.useSemicolonDelimiter ? /[?#;]/ : /[?#]/).exec(glob)?.[0]
  if (delimiter !== undefined) {
    return `a path is cut at its first "${delimiter}"; write the path alone ("*" is the only wildcard)`
  }
  if (/^https?:/i.test(glob)) return 'scheme and host are removed from a URL; write the path'
  if (!/^[/*]/.test(glob)) return 'a path begins with "/"; write it, or "*" before the pattern'
  if (folding.caseSensitive ? /%(?!2F)/.test(glob) : /%(?!2f)/i.test(glob)) {
    return 'percent-encoded characters are decoded ("%2F" alone is kept); write "*" for the character'
  }
  if ([...glob].some(isEncodedByClients)) {
    return 'clients percent-encode spaces, control and non-ASCII characters; write "*" for each of them'
  }
  if (folding.ignoreDuplicateSlashes && glob.includes('//')) return 'this router takes "//" for "/"; write "/"'
  if (folding.ignoreTrailingSlash && glob.endsWith('/') && !compileGlob(glob)('/')) {
    return 'this router ignores a trailing slash; leave it out'
  }
  return undefined
}

function isEncodedByClients(char: string): boolean {
  return char <= ' ' || char > '~' || char === '<' || char === '>'
}
