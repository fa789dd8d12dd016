import type { EndFacts } from '../../event/formats/json-end.js'

/** How a reply ended. */
export type Ending = Pick<EndFacts, 'how' | 'error' | 'closeCode'>

/** Emitter that a running reply is watched by: its response, or the socket of an upgrade. */
export interface Watched {
  /** True if the reply has an end entry however short it is: an upgrade, an event stream. */
  readonly isLong: boolean
  /** Watches the reply from now on; `isAhead`: its bytes are about to go out, and can be counted. */
  begin(watcher: Watcher, isAhead: boolean): void
  /** Looks whether the reply has ended already. */
  check(): void
  /** How the reply is ending already, as far as the application began it; null while it goes on. */
  readonly closing: Ending | null
  /** Bytes on the connection since `begin`, where they are known. */
  bytes(): Pick<EndFacts, 'bytesReceived' | 'bytesSent'>
}

/** Called once, when a reply has ended. */
export type Watcher = (ending: Ending) => void

export const CLOSED: Ending = { how: 'closed' }
export const ABORTED: Ending = { how: 'aborted' }

/** Codes of errors with which a client's system says that the client has left. */
const LEFT = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED'])

/** Returns true if a connection's error says no more than that the client has left. */
export function isOfClient(error: unknown): boolean {
  return typeof error === 'object' && error !== null && LEFT.has(String(Reflect.get(error, 'code')))
}
