import type { FastifyReply, FastifyRequest, preHandlerHookHandler, RouteOptions } from 'fastify'
import { type HandshakeKeeper, UpgradeGate } from './gate/upgrade.js'

/** Marks a route whose last `preHandler` is ours. */
const HANDS_OVER = Symbol('fastify-audit-log.handsOver')

/** Whether a request asks for a websocket, as `@fastify/websocket` says. */
export function isUpgrade(request: FastifyRequest): boolean {
  return 'ws' in request && request.ws === true
}

/** Whether a listener of the server took a request for another protocol, so that its socket is not Node's any more. */
export function isUpgraded({ raw }: FastifyRequest): boolean {
  return Reflect.get(raw, 'upgrade') === true && raw.httpVersionMajor === 1
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
export function closeAfterReply(request: FastifyRequest, reply: FastifyReply): void {
  if (isUpgraded(request)) reply.raw.once('finish', () => request.raw.socket.destroy())
}

/** Holds the reply to a request that asks for another protocol, where Node has let go of its socket; null for others. */
export function upgradeGateFor(
  request: FastifyRequest,
  reply: FastifyReply,
  keeper: HandshakeKeeper,
): UpgradeGate | null {
  return isUpgraded(request) ? new UpgradeGate(request.raw.socket, reply.raw, keeper) : null
}
