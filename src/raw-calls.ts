// What Node makes of a call on a response, and of one that comes when nothing more can be sent.

/** A method of a response that sends something, or says what is sent. */
export type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'addTrailers'
export type Args = readonly unknown[]

/** What comes after the answer goes nowhere, but whoever waits for it to be written goes on. */
export function swallow(raw: object, method: Method, args: Args): unknown {
  const callback = args.at(-1)
  if (typeof callback === 'function') process.nextTick(callback)
  return method === 'write' ? true : raw
}

/** The reply is whole, and held: what comes after its end is turned away as Node would, but for its `error` event. */
export function refuseAfterEnd(raw: object, method: Method, args: Args): unknown {
  const callback = args.at(-1)
  const error = Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })
  if (typeof callback === 'function') process.nextTick(callback, error)
  return method === 'write' ? false : raw
}

export function isChunk(method: Method, value: unknown, isHttp2: boolean): boolean {
  if (method === 'flushHeaders' || typeof value === 'string' || value instanceof Uint8Array) return true
  // HTTP/2 responses are streams, and those take any view of a buffer.
  if (isHttp2 && ArrayBuffer.isView(value)) return true
  return method === 'end' && (value === undefined || value === null || typeof value === 'function')
}

export function headersSentError(): Error {
  const error = new Error('Cannot write headers after they are sent to the client')
  return Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
}
