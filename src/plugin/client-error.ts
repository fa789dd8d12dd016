import type { Socket } from 'node:net'

/** What Node's HTTP server keeps on a connection's socket, and publishes nowhere: read only. */
interface ServedSocket extends Socket {
  /** The response that is being sent; null after it; not there before the first. */
  readonly _httpMessage?: unknown
  /** `incoming` is the request that was read last, until its response is sent and its body read. */
  readonly parser?: { readonly incoming?: { readonly complete: boolean } | null } | null
}

/** How a connection ends from the other side. */
const DEPARTURES = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']
const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT'

/**
 * Whether a `clientError` is about a request that was routed already, or about none: a client that leaves during an
 * upload or a download, between two requests, or before it has sent anything.
 */
export function isAboutNoOther({ code = '' }: NodeJS.ErrnoException, socket: ServedSocket): boolean {
  // Also when the body is malformed, or does not come in time.
  if (socket.parser?.incoming?.complete === false) return true
  if (socket.bytesRead === 0 && (code === TIMEOUT || DEPARTURES.includes(code))) return true
  const isOfParser = code === TIMEOUT || code.startsWith('HPE_')
  return !isOfParser && socket._httpMessage !== undefined
}
