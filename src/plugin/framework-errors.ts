import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Handler that Fastify calls for a URL that it refuses before any hook. */
export type FrameworkErrorsHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void

/** Begins an exchange, and calls `next` when its Received is stored. */
type Follow = (request: FastifyRequest, reply: FastifyReply, error: FastifyError, next: () => void) => void

export const FRAMEWORK_ERRORS_ADVICE =
  'URLs that Fastify refuses before any hook (such as /%zz) are not in the audit trail. ' +
  'Create the server with Fastify({ frameworkErrors: auditFrameworkErrors() }).'

const follows = new WeakMap<object, Follow>()
const ours = new WeakSet<object>()

/**
 * Creates a handler for the server's `frameworkErrors` option. It records requests that Fastify refuses before any hook
 * has run, such as `/%zz` and overlong parameters. `own` sends the reply; without it the reply is Fastify's own.
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

/** Registers the function that records the requests of a server that `auditFrameworkErrors` sees. */
export function followFrameworkErrors(app: FastifyInstance, follow: Follow): void {
  follows.set(app, follow)
}

/** Returns true if a handler came from `auditFrameworkErrors`. */
export function isAuditing(handler: unknown): boolean {
  return typeof handler === 'function' && ours.has(handler)
}

/** Replies as Fastify does without the option: on the raw response, so that no hook or serializer runs. */
function replyAsFastify(error: FastifyError, _: FastifyRequest, { raw }: FastifyReply): void {
  const { statusCode = 400 } = error
  const body = JSON.stringify(bodyOf(error, statusCode))
  raw.writeHead(statusCode, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  raw.end(body)
}

function bodyOf({ code, message }: FastifyError, statusCode: number): object {
  // Omit the code for a failed constraint, as Fastify does.
  if (statusCode >= 500) return { error: STATUS_CODES[statusCode], message, statusCode }
  // Say 'Bad Request' for a 414 too, as Fastify does.
  return { error: 'Bad Request', code, message, statusCode }
}
