import { createError } from '@fastify/error'

/**
 * Answers a request with 503, or rejects `record` or `run`: it could not be recorded, so its handler, or its function,
 * did not run.
 */
export const AuditNotRecorded = createError<[message: string]>('FST_AUDIT_NOT_RECORDED', '%s', 503)

/**
 * Answers a request with 500, or rejects `run`: its handler, or its function, ran, but its outcome could not be recorded,
 * so its reply, or its result, is withheld. `result` of a rejection holds the result.
 */
export const AuditResponseWithheld = createError<[message: string]>('FST_AUDIT_RESPONSE_WITHHELD', '%s', 500)

/** Rejects `record` and `run`: they were called with a wrong action, or without a function. The message says what to write. */
export const AuditInvalidAction = createError<[problem: string]>('FST_AUDIT_INVALID_ACTION', '%s', 500)

/** Stops the boot because of wrong options. The message lists every mistake. */
export const AuditInvalidOptions = createError(
  'FST_AUDIT_INVALID_OPTIONS',
  'The options of fastify-audit-log are not valid:\n%s',
  500,
)

/** Refuses a duration or a size that is not written as one. The message says what to write. */
export const AuditInvalidUnit = createError<[remedy: string]>('FST_AUDIT_INVALID_UNIT', '%s', 500)

/** Refuses settings of another system that cannot be taken over exactly. The message lists every mistake. */
export const AuditInvalidSettings = createError<[whose: string, mistakes: string]>(
  'FST_AUDIT_INVALID_SETTINGS',
  'The settings of %s cannot be taken over:\n%s',
  500,
)

/** Stops the boot because the plugin was registered inside another plugin without `scope: 'plugin'`. */
export const AuditNotAtRoot = createError(
  'FST_AUDIT_NOT_AT_ROOT',
  "fastify-audit-log must be registered on the root instance. Here it would miss all requests outside the plugin that registers it, such as 404s. If fastify-cli or @fastify/autoload loads that plugin, wrap it in fastify-plugin: `export default fp(app)`. To audit only this part of the server, set `scope: 'plugin'`.",
  500,
)

/** Stops the boot because the plugin was registered a second time. */
export const AuditAlreadyRegistered = createError(
  'FST_AUDIT_ALREADY_REGISTERED',
  'fastify-audit-log is registered already on this server. Register it once and list several `sinks` instead.',
  500,
)

/** Stops the boot or the first request: replies cannot be held back on this version of Node, or kind of server. */
export const AuditUnsupportedRuntime = createError<[what: string, version: string]>(
  'FST_AUDIT_UNSUPPORTED_RUNTIME',
  'fastify-audit-log cannot hold back the replies of this server: %s (Node %s). Use a supported version of Node, and a server of node:http, node:https or node:http2.',
  500,
)

/** Stops the boot because a sink cannot be opened until the operator changes something. The message says what. */
export const AuditSinkOpenFailed = createError(
  'FST_AUDIT_SINK_OPEN_FAILED',
  'Audit sink "%s" could not be opened: %s',
  500,
)

/** Stops the boot because another process, or this one, holds the lock of a file sink's path. */
export const AuditSinkLocked = createError('FST_AUDIT_SINK_LOCKED', 'Audit file %s is in use: %s', 500)

/** Reports that a sink cannot store now but may later. The server starts, refuses requests, and tries again. */
export const AuditSinkUnavailable = createError(
  'FST_AUDIT_SINK_UNAVAILABLE',
  'Audit sink cannot store now, and is tried again: %s',
  503,
)

/** Reports that a sink did not answer within its `timeout`. */
export const AuditSinkTimeout = createError(
  'FST_AUDIT_SINK_TIMEOUT',
  'Audit sink "%s" did not answer within %s ms. Check the storage it writes to, or raise its `timeout`.',
  503,
)

/** Refuses a query that cannot match anything. The message names the key and its value, and says what to write. */
export const AuditInvalidQuery = createError<[remedy: string]>('FST_AUDIT_INVALID_QUERY', '%s', 500)

/** Reports that there is nothing to read at a path. The message says which path to name. */
export const AuditNoTrail = createError<[path: string, reason: string]>(
  'FST_AUDIT_NO_TRAIL',
  'There is no audit trail at %s: %s',
  500,
)

/** Reports why one file of a trail cannot be read. The message says what to do. */
export const AuditFileUnreadable = createError<[problem: string]>('FST_AUDIT_FILE_UNREADABLE', '%s', 500)

/** Reports files that could not be read to their end: the answer is right, but may not be whole. */
export const AuditTrailUnreadable = createError<[files: string]>(
  'FST_AUDIT_TRAIL_UNREADABLE',
  'The audit trail could not be read whole: %s',
  500,
)

/** Refuses what a trail is to be verified with. The message says what to give. */
export const AuditInvalidKey = createError<[problem: string]>(
  'FST_AUDIT_INVALID_KEY',
  'A trail cannot be verified: %s',
  500,
)

/** Refuses what a test expects of a trail, if it cannot be compared. The message says what to write. */
export const AuditInvalidExpectation = createError<[problem: string]>(
  'FST_AUDIT_INVALID_EXPECTATION',
  'The expectation of a trail is not valid: %s',
  500,
)
