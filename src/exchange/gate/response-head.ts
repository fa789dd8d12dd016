// The head of an HTTP/1 reply, as Node has composed it.

const PROTOCOL = 'HTTP/1.'
/** Where the status stands: after the protocol's last digit and a space. */
const STATUS_AT = PROTOCOL.length + 2

/** The status of a head, or 0 of a text that is not one. */
export function statusOfHead(text: string): number {
  if (!text.startsWith(PROTOCOL)) return 0
  return Number(text.slice(STATUS_AT, STATUS_AT + 3)) || 0
}

/** The headers of a head, by their names in lower case; a repeated one has a list. */
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
