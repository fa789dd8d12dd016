import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** What Fastify calls for a URL that it refuses before any hook. */
export type FrameworkErrorsHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void

/** Begins an exchange, and goes on when its Received is stored. */
type Follow = (request: FastifyRequest, reply: FastifyReply, error: FastifyError, next: () => void) => void

export const FRAMEWORK_ERRORS_ADVICE =
  'URLs that Fastify refuses before any hook (such as /%zz) are not in the audit trail. ' +
  'Create the server with Fastify({ frameworkErrors: auditFrameworkErrors() }).'

const follows = new WeakMap<object, Follow>()
const ours = new WeakSet<object>()

/**
 * The server's `frameworkErrors` option: it puts those requests into the audit trail that Fastify refuses before any
 * hook has run, such as `/%zz` and overlong parameters. `own` replies; without it the reply is Fastify's own.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit, { auditFrameworkErrors } from 'fastify-audit-log'
 *
 * const app = Fastify({ frameworkErrors: auditFrameworkErrors() })
 * await app.register(audit)
 * ```
 */
export function auditFrameworkErrors(own?: FrameworkErrorsHandler): FrameworkErrorsHandler {
  const handler: FrameworkErrorsHandler = (error, request, reply) => {
    const respond = () => (own ?? replyAsFastify)(error, request, reply)
    const follow = follows.get(request.server)
    if (follow === undefined) respond()
    else follow(request, reply, error, respond)
  }
  ours.add(handler)
  return handler
}

/** Has the requests of a server that `auditFrameworkErrors` sees followed. */
export function followFrameworkErrors(app: FastifyInstance, follow: Follow): void {
  follows.set(app, follow)
}

/** Whether a handler came from `auditFrameworkErrors`. */
export function isAuditing(handler: unknown): boolean {
  return typeof handler === 'function' && ours.has(handler)
}

function replyAsFastify(
  { code, message, statusCode = 400 }: FastifyError,
  _: FastifyRequest,
  reply: FastifyReply,
): void {
  // Fastify says so for a 414 too.
  const error = statusCode < 500 ? 'Bad Request' : STATUS_CODES[statusCode]
  const body = JSON.stringify({ error, code, message, statusCode })
  reply.code(statusCode).header('content-type', 'application/json').send(body)
}
