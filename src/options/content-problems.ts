import { LEVEL_NAMES } from '../event/level.js'
import { BOUNDS } from '../event/limits.js'
import { braceProblem } from '../policy/glob.js'
import { STATUS_PATTERN } from '../policy/statuses.js'
import { choiceProblem, headerNameProblem } from './problems.js'

// Checks of single values that decide how much is recorded. Each message continues a sentence that begins with the
// value.

/** A batch holds 1 MiB and a queue 64 MiB: a larger body would crowd out everything else. */
const MAX_BODY_BYTES = 16 * 2 ** 20

export function levelProblem(value: unknown): string {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))) {
    return "is not a level; write 0 to 3 as a number, or 'none', 'metadata', 'request' or 'response'"
  }
  return choiceProblem(value, LEVEL_NAMES)
}

export function statusProblem(pattern: string): string | undefined {
  if (STATUS_PATTERN.test(pattern)) return undefined
  return "is not a status; write one such as '304', or a class such as '2xx'"
}

/** Checks a pattern over something that is not a URL. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty and matches nothing; write "*" for everything, or leave the list out'
  return braceProblem(pattern)
}

export function routePatternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty and matches no route; write a route\'s pattern such as "/v1/jobs/:id", or "*"'
  if (/^https?:/i.test(pattern) || /[?#]/.test(pattern.replace(/:[^/]*\?/g, ''))) {
    return 'is a URL, but routes are matched by their pattern; write it as the route is declared, such as "/v1/jobs/:id"'
  }
  return braceProblem(pattern)
}

export function capturedHeaderProblem(name: string): string | undefined {
  return headerNameProblem(name, "write one such as 'content-type'")
}

export function headerNamesProblem(names: readonly string[]): string | undefined {
  return names.length > BOUNDS.headers ? `is more than a line holds; name at most ${BOUNDS.headers} headers` : undefined
}

export function maxBodyProblem(bytes: number): string | undefined {
  if (bytes <= MAX_BODY_BYTES) return undefined
  return "is more than a trail can hold of one body; write at most '16MiB'"
}

export const MAX_ANNOTATIONS = 1000

/** The most bytes of annotations, and of changes. */
const MAX_LIST_BYTES = 2 ** 20

/** The least bytes in which a key, or a path, and the start of its value have room. */
const SMALLEST_SHARE = 64

export function maxListProblem(bytes: number): string | undefined {
  return bytes <= MAX_LIST_BYTES ? undefined : "is more than a line holds of them; write at most '1MiB'"
}

export function annotationShareProblem(keys: number, bytes: number): string | undefined {
  return shareProblem(keys, bytes, 'keys', 'maxAnnotations')
}

export const MAX_CHANGES = 256

export function changeShareProblem(changes: number, bytes: number): string | undefined {
  return shareProblem(changes, bytes, 'changes', 'maxChanges')
}

function shareProblem(number: number, bytes: number, what: string, option: string): string | undefined {
  const least = number * SMALLEST_SHARE
  return bytes >= least
    ? undefined
    : `is too small for ${number} ${what}; write at least ${least}, or fewer \`${option}\``
}

export function redactKeyProblem(key: string): string | undefined {
  if (key.includes('*')) return 'is a pattern, and keys are compared as a whole; write each name'
  if (/[^-_\s[\].]/.test(key)) return undefined
  return "names no key; write one such as 'ssn'"
}
