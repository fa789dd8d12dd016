import type { Socket } from 'node:net'

/** Unpublished members that Node's HTTP server keeps on a connection's socket; only read here. */
interface ServedSocket extends Socket {
  /** Response being sent; null after it, undefined before the first. */
  readonly _httpMessage?: unknown
  /** Parser of the connection. `incoming` is the last request, until its response is sent and its body read. */
  readonly parser?: { readonly incoming?: { readonly complete: boolean } | null } | null
}

/** Error codes of a connection that the client ended. */
const DEPARTURES = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']
const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT'

/**
 * Returns true if a `clientError` is about a request that was routed already, or about no request: the client left
 * during an upload or a download, between two requests, or before it sent anything.
 */
export function isAboutNoOther({ code = '' }: NodeJS.ErrnoException, socket: ServedSocket): boolean {
  // Covers also a body that is malformed or does not come in time.
  if (socket.parser?.incoming?.complete === false) return true
  if (socket.bytesRead === 0 && (code === TIMEOUT || DEPARTURES.includes(code))) return true
  const isOfParser = code === TIMEOUT || code.startsWith('HPE_')
  return !isOfParser && socket._httpMessage !== undefined
}
