// Parses the head of an HTTP/1 reply as Node composes it.

const PROTOCOL = 'HTTP/1.'
/** Position of the status: after the protocol's last digit and a space. */
const STATUS_AT = PROTOCOL.length + 2

/** Returns the status of a head, or 0 if the text is not a head. */
export function statusOfHead(text: string): number {
  if (!text.startsWith(PROTOCOL)) return 0
  return Number(text.slice(STATUS_AT, STATUS_AT + 3)) || 0
}

/** Returns the headers by lower-case name; the values of a repeated header are a list. */
export function headersOfHead(head: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else headers[name] = typeof before === 'string' ? [before, value] : [...before, value]
  }
  return headers
}
