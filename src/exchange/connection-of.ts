import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { Socket } from 'node:net'

/** What a request shares with others of its connection: the socket, or the session of HTTP/2. Null for `inject`. */
export function socketOf(raw: IncomingMessage | Http2ServerRequest): object | null {
  if ('stream' in raw) return raw.stream.session ?? null
  return raw.socket instanceof Socket ? raw.socket : null
}
