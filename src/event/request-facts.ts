import type { FastifyRequest } from 'fastify'
import type { ChangeReport } from '../redact/change-report.js'
import type { Origin, RequestFacts } from './formats/json.js'

/** What stands for an address where there is none: a unix socket, `inject`. */
const NO_ADDRESS = 'local'

interface Addresses {
  remote: string
  local: string
  origin: Origin | undefined
}

/** The two ends of a connection do not change while it lives, and keep-alive asks for them again and again. */
const known = new WeakMap<object, Addresses>()

/** Reads what a request is, while the connection still knows its addresses: after a reset they are gone. */
export function readRequest(
  request: FastifyRequest,
  route: string | undefined,
  namespace: string,
  changes: ChangeReport,
): RequestFacts {
  const { remote, local, origin } = addressesOf(request.raw.socket)
  const userAgent = request.headers['user-agent']
  const traceparent = request.headers.traceparent
  return {
    id: textOf(request.id),
    operation: request.method,
    endpoint: request.originalUrl,
    route,
    namespace,
    remoteAddress: remote,
    userAgent: typeof userAgent === 'string' ? userAgent : undefined,
    sourceIps: sourceIpsOf(request, changes),
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    nodeAddress: local,
    origin,
  }
}

/** An id may be of any kind, by the option `genReqId`. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return '[unreadable]'
  }
}

/** The option `trustProxy` may be a function, which may throw. */
function sourceIpsOf(request: FastifyRequest, changes: ChangeReport): string[] | undefined {
  try {
    // Over a unix socket the first of them, the socket's own, is undefined.
    return request.ips?.filter((address) => typeof address === 'string')
  } catch {
    changes.markOmitted('request.request_meta.source_ips', 'not readable')
    return undefined
  }
}

/** What @fastify/websocket's `injectWS` makes of a request has no socket. */
function addressesOf(socket: FastifyRequest['raw']['socket'] | undefined): Addresses {
  if (socket === undefined) return { remote: NO_ADDRESS, local: NO_ADDRESS, origin: undefined }
  const found = known.get(socket)
  if (found !== undefined) return found
  const addresses = {
    remote: join(socket.remoteAddress, socket.remotePort),
    local: join(socket.localAddress, socket.localPort),
    origin: { userAgent: undefined, redactor: null, json: '' },
  }
  known.set(socket, addresses)
  return addresses
}

function join(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return NO_ADDRESS
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}
