import type { FastifyRequest } from 'fastify'
import type { ChangeReport } from '../redact/change-report.js'

/** What a request is, as read from Fastify: none of it is bounded, escaped or redacted yet. */
export interface RequestFacts {
  id: string
  operation: string
  endpoint: string
  route: string | undefined
  namespace: string
  /** As the header `host` or `:authority` has it, or a trusted proxy says; empty where there is none. */
  host: string
  userAgent: string | undefined
  sourceIps: readonly string[] | undefined
  traceparent: string | undefined
  connection: Connection
}

/** The two ends of a connection, which do not change while it lives. */
export interface Connection {
  readonly remote: string
  readonly local: string
  /** What is written of its last request's origin, for the next one with the same headers. */
  origin: Origin | null
}

interface Origin {
  readonly host: string
  readonly userAgent: string | undefined
  readonly json: string
}

/** Stands for an address where there is none: a unix socket, `inject`. */
const NO_ADDRESS = 'local'

/** The connections of one server; keep-alive asks for the same ones again and again. */
export class Connections {
  private readonly known = new WeakMap<object, Connection>()

  /** A request that @fastify/websocket's `injectWS` makes has no socket. */
  of(socket: FastifyRequest['raw']['socket'] | undefined): Connection {
    if (socket === undefined) return { remote: NO_ADDRESS, local: NO_ADDRESS, origin: null }
    const found = this.known.get(socket)
    if (found !== undefined) return found
    const connection = {
      remote: join(socket.remoteAddress, socket.remotePort),
      local: join(socket.localAddress, socket.localPort),
      origin: null,
    }
    this.known.set(socket, connection)
    return connection
  }
}

/** Reads what a request is, while the connection still knows its addresses: after a reset they are gone. */
export function readRequest(
  request: FastifyRequest,
  route: string | undefined,
  namespace: string,
  connections: Connections,
  changes: ChangeReport,
): RequestFacts {
  return {
    id: textOf(request.id),
    operation: request.method,
    endpoint: request.originalUrl,
    route,
    namespace,
    host: hostOf(request, changes),
    userAgent: stringOf(request.headers['user-agent']),
    sourceIps: sourceIpsOf(request, changes),
    traceparent: stringOf(request.headers.traceparent),
    connection: connections.of(request.raw.socket),
  }
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
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

function hostOf(request: FastifyRequest, changes: ChangeReport): string {
  try {
    return request.host
  } catch {
    changes.markOmitted('request.request_meta.host', 'not readable')
    return ''
  }
}

function join(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return NO_ADDRESS
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}
