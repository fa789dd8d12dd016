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

/** Replies as Fastify does for a server without the option: on the raw response, so that no hook or serializer has a say. */
function replyAsFastify(error: FastifyError, _: FastifyRequest, { raw }: FastifyReply): void {
  const { statusCode = 400 } = error
  const body = JSON.stringify(bodyOf(error, statusCode))
  raw.writeHead(statusCode, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  raw.end(body)
}

function bodyOf({ code, message }: FastifyError, statusCode: number): object {
  // Fastify says no code of a constraint that failed.
  if (statusCode >= 500) return { error: STATUS_CODES[statusCode], message, statusCode }
  // And it calls a 414 a bad request, too.
  return { error: 'Bad Request', code, message, statusCode }
}
