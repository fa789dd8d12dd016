import type { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest, preHandlerHookHandler, RouteOptions } from 'fastify'

/** Marks a route whose last `preHandler` is ours. */
const HANDS_OVER = Symbol('fastify-audit-log.handsOver')

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) /

/** Whether a request asks for a websocket, as `@fastify/websocket` says. */
export function isUpgrade(request: FastifyRequest): boolean {
  return 'ws' in request && request.ws === true
}

/**
 * Puts a hook behind every other `preHandler` of a route: an upgrade is written past the response, and past every
 * later hook, so this is the last place where it can be recorded before the socket's handler runs.
 */
export function handOverLast(route: RouteOptions, hook: preHandlerHookHandler): void {
  const hooks = route.preHandler ?? []
  route.preHandler = Array.isArray(hooks) ? [...hooks, hook] : [hooks, hook]
  // A new object: theirs may be frozen, or shared with other routes.
  route.config = Object.assign({}, route.config, { [HANDS_OVER]: true })
}

export function isHandedOverLast(request: FastifyRequest): boolean {
  return HANDS_OVER in request.routeOptions.config
}

/**
 * Closes the socket of an upgrade that is answered before the websocket library knows of it: Node has let go of it, so
 * that nobody else would, and a closing server would wait for it.
 */
export function closeAfterReply({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (Reflect.get(raw, 'upgrade') === true) reply.raw.once('finish', () => raw.socket.destroy())
}

/**
 * Tells the status of a handshake, once. A bad key, among others, is answered with 400 by the websocket library, on
 * the socket and after every hook.
 */
export function watchHandshake(socket: Duplex | undefined, onStatus: (statusCode: number) => void): void {
  if (socket === undefined) return
  const { write, end } = socket
  const watched = (method: typeof write | typeof end) =>
    function watch(this: Duplex, ...args: unknown[]): unknown {
      socket.write = write
      socket.end = end
      const status = typeof args[0] === 'string' ? STATUS_LINE.exec(args[0]) : null
      if (status !== null) onStatus(Number(status[1]))
      return Reflect.apply(method, this, args)
    }
  Object.assign(socket, { write: watched(write), end: watched(end) })
}
