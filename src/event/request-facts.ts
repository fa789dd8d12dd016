import { isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { ChangeReport } from '../redact/change-report.js'

/** A request as read from Fastify: nothing in it is bounded, escaped or redacted yet. */
export interface RequestFacts {
  id: string
  operation: string
  endpoint: string
  route: string | undefined
  namespace: string
  /** The header `host` or `:authority`, or the value from a trusted proxy; empty if there is none. */
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
  /** The JSON of the last request's origin, for the next request with the same headers. */
  origin: Origin | null
}

interface Origin {
  readonly host: string
  readonly userAgent: string | undefined
  readonly json: string
}

const IPV4_MAPPED = /^::ffff:([\d.]+)$/i

/** The address that is recorded where there is none: a Unix socket, `inject`. */
const NO_ADDRESS = 'local'

/** The connections of one server: many requests share one by keep-alive. */
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

/** Reads a request while its connection still knows its addresses, which are gone after a reset. */
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

/** The option `genReqId` may return an id of any type. */
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
    return request.ips?.filter((address) => typeof address === 'string').map(plainAddress)
  } catch {
    changes.markOmitted('request.request_meta.source_ips', 'not readable')
    return undefined
  }
}

function hostOf(request: FastifyRequest, changes: ChangeReport): string {
  try {
    // Fastify 5.0 gives `undefined` to a request without the header.
    return request.host ?? ''
  } catch {
    changes.markOmitted('request.request_meta.host', 'not readable')
    return ''
  }
}

function join(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return NO_ADDRESS
  const plain = plainAddress(address)
  const host = plain.includes(':') ? `[${plain}]` : plain
  return port === undefined ? host : `${host}:${port}`
}

/** A socket that listens on `::` shows the addresses of IPv4 in the form of IPv6, `::ffff:10.0.0.1`. */
function plainAddress(address: string): string {
  const [, mapped] = IPV4_MAPPED.exec(address) ?? []
  return mapped !== undefined && isIPv4(mapped) ? mapped : address
}
