import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler, RouteOptions } from 'fastify'
import { type HandshakeKeeper, UpgradeGate } from './gate/upgrade.js'
import { type Emitting, watchEvents } from './running/watch-events.js'

/** Marks a route whose last `preHandler` is this plugin's. */
const HANDS_OVER = Symbol('fastify-audit-log.handsOver')

const KEEPER = Symbol('fastify-audit-log.websocketKeeper')

/** Follows the websocket of a request. */
export interface WebsocketKeeper {
  onWebsocket(websocket: Emitting): void
}

/** Makes `keeper` follow the websocket that this request becomes. */
export function keepWebsocket({ raw }: FastifyRequest, keeper: WebsocketKeeper): void {
  Reflect.set(raw, KEEPER, keeper)
}

/** Tells keepers of the websockets that servers of `@fastify/websocket` open. */
export class WebsocketServers {
  private readonly known = new WeakSet<object>()

  /** Watches the server of an instance, if it has one. */
  watch(app: FastifyInstance): void {
    const server: unknown = Reflect.get(app, 'websocketServer')
    if (!isEmitting(server) || this.known.has(server)) return
    this.known.add(server)
    watchEvents(server, (event, [websocket, raw]) => {
      if (event !== 'connection' || !isEmitting(websocket) || !isKept(raw)) return
      raw[KEEPER].onWebsocket(websocket)
    })
  }
}

function isEmitting(value: unknown): value is Emitting {
  return typeof value === 'object' && value !== null && 'emit' in value && typeof value.emit === 'function'
}

function isKept(raw: unknown): raw is { [KEEPER]: WebsocketKeeper } {
  return typeof raw === 'object' && raw !== null && KEEPER in raw
}

/** Returns true if `@fastify/websocket` says that the request asks for a websocket. */
export function isUpgrade(request: FastifyRequest): boolean {
  return 'ws' in request && request.ws === true
}

/** Returns true if an `upgrade` listener took the request over, so that Node no longer manages its socket. */
export function isUpgraded({ raw }: FastifyRequest): boolean {
  return Reflect.get(raw, 'upgrade') === true && raw.httpVersionMajor === 1
}

/**
 * Adds a hook after every other `preHandler` of a route. An upgrade bypasses the response and every later hook, so this
 * is the last place where it can be recorded before the socket's handler runs.
 */
export function handOverLast(route: RouteOptions, hook: preHandlerHookHandler): void {
  const hooks = route.preHandler ?? []
  route.preHandler = Array.isArray(hooks) ? [...hooks, hook] : [hooks, hook]
  // Create a new object: the application's may be frozen, or shared with other routes.
  route.config = Object.assign({}, route.config, { [HANDS_OVER]: true })
}

export function isHandedOverLast(request: FastifyRequest): boolean {
  return HANDS_OVER in request.routeOptions.config
}

/**
 * Closes the socket of an upgrade that is answered before the websocket library sees it. Node no longer manages this
 * socket, so nothing else would close it, and a closing server would wait for it.
 */
export function closeAfterReply(request: FastifyRequest, reply: FastifyReply): void {
  if (isUpgraded(request)) reply.raw.once('finish', () => request.raw.socket.destroy())
}

/** Creates the gate for a request that asks for another protocol and whose socket Node no longer manages, else null. */
export function upgradeGateFor(
  request: FastifyRequest,
  reply: FastifyReply,
  keeper: HandshakeKeeper,
): UpgradeGate | null {
  return isUpgraded(request) ? new UpgradeGate(request.raw.socket, reply.raw, keeper) : null
}
