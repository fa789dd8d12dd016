/** Limits of what comes from outside: bytes in a line after escaping, or numbers of items. */
export const BOUNDS = {
  endpoint: 4096,
  route: 4096,
  host: 260,
  userAgent: 512,
  requestId: 128,
  identity: 256,
  namespace: 256,
  address: 128,
  sourceIps: 16,
  names: 64,
  error: 1024,
  headerValue: 1024,
  headers: 64,
  targets: 16,
} as const
