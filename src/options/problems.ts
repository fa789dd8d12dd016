import { types } from 'node:util'
import { braceProblem } from '../policy/glob.js'
import { closest } from './suggest.js'

// Checks of single values. Each message continues a sentence that begins with the value: `"get" is in lower case; write
// "GET"`.

/** Something wrong, and where in the options. */
export interface Problem {
  path: (string | number)[]
  message: string
}

export const SINK_NAME = /^[\w.-]{1,64}$/

/** A token, as HTTP names headers. */
export const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,64}$/

/** Headers that HTTP itself needs: an id in one of them would break every reply. */
const FRAMING_HEADERS = new Set(
  'connection content-encoding content-length content-type date keep-alive set-cookie te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
)

export function missing(remedy: string): string {
  return `is missing; ${remedy}`
}

export function choiceProblem(value: unknown, choices: readonly string[]): string {
  const quoted = choices.map((choice) => `'${choice}'`)
  const named = [quoted.slice(0, -1).join(', '), ...quoted.slice(-1)].join(' or ')
  if (value === undefined) return missing(`write ${named}`)
  const meant = typeof value === 'string' ? closest(value, choices) : undefined
  return meant === undefined ? `is not ${named}` : `is not ${named}; did you mean '${meant}'?`
}

export function sinkTypeProblem(type: unknown): string {
  const meant = typeof type === 'string' ? closest(type, ['file', 'stdout']) : undefined
  if (meant !== undefined) return `is not a type of sink; did you mean '${meant}'?`
  return "is not a type of sink; write 'file' or 'stdout', or give an instance without a type: `sink: memorySink()`"
}

export function sinkNameProblem(name: string): string | undefined {
  if (SINK_NAME.test(name)) return undefined
  return "is not a sink's name; write 1 to 64 letters, digits, '.', '_' or '-', such as 'audit'"
}

export function filePathProblem(path: string): string | undefined {
  if (path === '') return "is empty; write a file's path, such as './data/audit/audit.log'"
  if (path.includes('\0')) return 'has a U+0000, which no path can have; leave it out'
  if (/(?:^|[\\/])\.{0,2}$/.test(path)) return "is a directory's path; add the file's name, such as 'audit.log'"
  const placeholder = /[[<$]\{?data_?dir[\]>}]?/i.exec(path)?.[0]
  if (placeholder !== undefined) {
    return `has '${placeholder}', which stands for a directory in documentation and is not replaced; write the directory, or leave \`path\` out for the default below \`dataDir\``
  }
  const unknown = path.replaceAll(/\{(?:slot|hostname)\}/g, '').match(/\{[^}]*\}?|\}/)?.[0]
  if (unknown === undefined) return undefined
  return `has '${unknown.slice(0, 64)}'; in braces there can be {slot} and {hostname} alone`
}

export function dataDirProblem(path: string): string | undefined {
  if (path === '') return "is empty; write a directory, such as './data'"
  return path.includes('\0') ? 'has a U+0000, which no path can have; leave it out' : undefined
}

/** A mode that locks the owner out would stop the next start, and a decimal one is hardly ever what was meant. */
export function modeProblem(mode: number, owner: number): string | undefined {
  if (mode >= 0 && mode <= 0o777 && (mode & owner) === owner) return undefined
  const digits = String(mode)
  const meant = /^[67][0-7]{2}$/.test(digits) ? `0o${digits}` : `0o${owner.toString(8)}`
  return `is 0o${mode.toString(8)} in octal, no mode that leaves the owner in control; write ${meant}`
}

export function headerProblem(name: string): string | undefined {
  if (FRAMING_HEADERS.has(name.toLowerCase()))
    return "is a header that HTTP needs itself; write one such as 'x-audit-id'"
  return headerNameProblem(name, "write one such as 'x-audit-id', or false for none")
}

export function headerNameProblem(name: string, remedy: string): string | undefined {
  return HEADER_NAME.test(name) ? undefined : `is not a header's name; ${remedy}`
}

export function operationProblem(pattern: string): string | undefined {
  if (pattern === '') return "is empty and matches no method; write a method such as 'GET', or '*' for every one"
  if (/[a-z]/.test(pattern)) {
    return `is not in upper case, as methods are, so it would match none; write ${JSON.stringify(pattern.slice(0, 64).toUpperCase())}`
  }
  return braceProblem(pattern)
}

/** Checks a function that is called while a request waits, where nothing can be awaited. */
export function requestFunctionProblem(value: unknown): string | undefined {
  if (typeof value !== 'function') return 'is not a function; write one that takes the request: (request) => …'
  if (!types.isAsyncFunction(value)) return undefined
  return 'is async, and its promise is not awaited; look things up in a hook before, and return here what it put on the request'
}

/** Checks what a route's `config.audit` says beyond the kinds of its members. */
export function routeAuditProblem({ level, action, targets }: object & Record<string, unknown>): string | undefined {
  if (level !== undefined || action !== undefined || targets !== undefined) return undefined
  return "says nothing; write { level: 'request' } or { action: 'invoice.refund' }, or leave it out"
}

export function formatProblem(value: unknown): string | undefined {
  if (value === 'json' || value === 'rancher') return undefined
  if (typeof value !== 'function') {
    return "is not a format; write 'json' or 'rancher', or a function that makes a line of an event"
  }
  return types.isAsyncFunction(value) ? 'is async, and its promise is not awaited; return the line itself' : undefined
}

/** Checks a value that should be an `AuditSink`. */
export function instanceProblem(value: unknown): string | undefined {
  if (value === undefined) {
    return missing("write `type: 'file'` or `type: 'stdout'`, or give an instance, such as `sink: memorySink()`")
  }
  if (typeof value === 'function') return 'is not a sink; call it, as in `sink: memorySink()`'
  if (typeof value !== 'object' || value === null) return 'is not a sink; give an instance, such as `memorySink()`'
  // A stream's `write` takes text, not a batch: it would fail at the first request.
  if (typeof Reflect.get(value, 'pipe') === 'function') return 'is a stream; write `sink: streamSink(stream)`'
  if (typeof Reflect.get(value, 'write') !== 'function') {
    return 'has no `write` method; an AuditSink stores a batch in `async write(batch) { … }`'
  }
  for (const name of ['open', 'tail', 'idle', 'reopen', 'close']) {
    if (!['undefined', 'function'].includes(typeof Reflect.get(value, name))) {
      return `has a \`${name}\` that is not a method; make it one, or leave it out`
    }
  }
  return undefined
}
