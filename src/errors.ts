import { createError } from '@fastify/error'

/** The request could not be recorded, so its handler did not run. Answered with 503. */
export const AuditNotRecorded = createError(
  'FST_AUDIT_NOT_RECORDED',
  'The request was not processed because it could not be recorded in the audit trail. It is safe to repeat it.',
  503,
)

/** The handler ran, but its outcome could not be recorded, so its reply is withheld. Answered with 500. */
export const AuditResponseWithheld = createError(
  'FST_AUDIT_RESPONSE_WITHHELD',
  'The request was processed, but its outcome could not be recorded in the audit trail, so the reply is withheld. Do not repeat it blindly.',
  500,
)

/** The options are wrong; the message lists every mistake. */
export const AuditInvalidOptions = createError(
  'FST_AUDIT_INVALID_OPTIONS',
  'The options of fastify-audit-log are not valid:\n%s',
  500,
)

/** A duration or a size is not written as one; the message says what to write. */
export const AuditInvalidUnit = createError<[remedy: string]>('FST_AUDIT_INVALID_UNIT', '%s', 500)

/** Settings of another system cannot be taken over; the message lists every mistake. */
export const AuditInvalidSettings = createError<[whose: string, mistakes: string]>(
  'FST_AUDIT_INVALID_SETTINGS',
  'The settings of %s cannot be taken over:\n%s',
  500,
)

/** The plugin was registered inside a child without `scope: 'plugin'`. */
export const AuditNotAtRoot = createError(
  'FST_AUDIT_NOT_AT_ROOT',
  "fastify-audit-log must be registered on the root instance, or requests outside this plugin, 404s among them, escape it. If fastify-cli or @fastify/autoload loads this plugin, wrap it in fastify-plugin: `export default fp(app)`. If only a part of the server is meant, set `scope: 'plugin'`.",
  500,
)

/** The plugin was registered a second time. */
export const AuditAlreadyRegistered = createError(
  'FST_AUDIT_ALREADY_REGISTERED',
  'fastify-audit-log is registered already on this server. Register it once and list several `sinks` instead.',
  500,
)

/** Replies cannot be held on this version of Node, or on this kind of server. */
export const AuditUnsupportedRuntime = createError<[what: string, version: string]>(
  'FST_AUDIT_UNSUPPORTED_RUNTIME',
  'fastify-audit-log cannot hold the replies of this server back: %s (Node %s). Use a supported version of Node, and a server of node:http, node:https or node:http2.',
  500,
)

/** A sink could not be opened for a reason that only the operator can mend; the boot stops. */
export const AuditSinkOpenFailed = createError(
  'FST_AUDIT_SINK_OPEN_FAILED',
  'Audit sink "%s" could not be opened: %s',
  500,
)

/** Another process, or this one, holds the lock of a file sink's path. */
export const AuditSinkLocked = createError('FST_AUDIT_SINK_LOCKED', 'Audit file %s is in use: %s', 500)

/** A sink cannot store now but may later (a full or failing disk): the server starts, refuses, and heals. */
export const AuditSinkUnavailable = createError('FST_AUDIT_SINK_UNAVAILABLE', 'Audit sink cannot store now: %s', 503)

/** A sink did not settle a batch within its `timeout`. */
export const AuditSinkTimeout = createError(
  'FST_AUDIT_SINK_TIMEOUT',
  'Audit sink "%s" did not answer within %s ms. Look at what it writes to, or raise its `timeout`.',
  503,
)

/** What is looked for in a trail cannot be; the message names it, its value and what to write. */
export const AuditInvalidQuery = createError<[remedy: string]>('FST_AUDIT_INVALID_QUERY', '%s', 500)

/** There is nothing to read where a trail should be. */
export const AuditNoTrail = createError<[path: string, reason: string]>(
  'FST_AUDIT_NO_TRAIL',
  'There is no audit trail at %s: %s',
  500,
)

/** A file cannot be read as what it is; the message says why, and what to do. */
export const AuditFileUnreadable = createError<[problem: string]>('FST_AUDIT_FILE_UNREADABLE', '%s', 500)

/** Files of a trail could not be read to their end, so that what was found in it is not all there is. */
export const AuditTrailUnreadable = createError<[files: string]>(
  'FST_AUDIT_TRAIL_UNREADABLE',
  'The audit trail could not be read whole: %s',
  500,
)

/** What a trail is to be verified with cannot be used; the message says what to give. */
export const AuditInvalidKey = createError<[problem: string]>(
  'FST_AUDIT_INVALID_KEY',
  'A trail cannot be verified: %s',
  500,
)
