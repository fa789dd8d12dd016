import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { Socket } from 'node:net'

/** Returns the object that a connection's requests share: the socket, or the HTTP/2 session. Null for `inject`. */
export function socketOf(raw: IncomingMessage | Http2ServerRequest): object | null {
  if ('stream' in raw) return raw.stream.session ?? null
  return raw.socket instanceof Socket ? raw.socket : null
}
