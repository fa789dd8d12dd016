/** W3C Trace Context, version 00 to fe, no all-zero id. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Tells whether a text is a valid trace context. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text)
}
