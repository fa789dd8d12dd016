import type { Duplex } from 'node:stream'
import { messageOf } from '../../event/error-message.js'
import type { WebsocketKeeper } from '../websocket.js'
import { ByteCounts } from './byte-counts.js'
import { ABORTED, CLOSED, type Ending, isOfClient, type Watched, type Watcher } from './ending.js'
import { type Emitting, watchCalls, watchEvents } from './watch-events.js'

/** Close code of a websocket whose connection was lost without a close frame (RFC 6455, section 7.1.5). */
const ABNORMAL = 1006
/** Close code of a websocket that is closed without one. */
const NO_CODE = 1005

/** Watches the connection of an upgrade, which belongs to the handler or to a websocket library. */
export class WatchedSocket implements Watched, WebsocketKeeper {
  readonly isLong = true
  closing: Ending | null = null
  private watcher: Watcher = () => undefined
  private counts: ByteCounts | null = null
  private hasWebsocket = false
  private failure: string | undefined

  /** `socket`: null if only its websocket is known (`injectWS`). */
  constructor(private readonly socket: Duplex | null) {}

  begin(watcher: Watcher): void {
    const { socket } = this
    this.watcher = watcher
    if (socket === null) return
    this.counts = new ByteCounts(socket, true)
    watchDestruction(socket, (error) => this.onDestroy(error))
  }

  check(): void {
    const { socket } = this
    if (socket?.destroyed === true) this.onDestroy(socket.errored)
  }

  bytes() {
    return this.counts?.since() ?? {}
  }

  /** Waits from now on for the end of a websocket, which has a close code. */
  onWebsocket(websocket: Emitting): void {
    this.hasWebsocket = true
    // A closing server does not wait for the client's close frame.
    watchCalls(websocket, 'close', ([code]) => {
      this.closing ??= { how: 'closed', closeCode: typeof code === 'number' ? code : NO_CODE }
    })
    watchEvents(websocket, (event, [first]) => {
      if (event === 'error') this.failure ??= messageOf(first)
      else if (event === 'close') this.watcher(this.ending(first))
    })
  }

  private ending(code: unknown): Ending {
    const closeCode = typeof code === 'number' ? code : undefined
    if (this.failure !== undefined) return { how: 'failed', error: this.failure, closeCode }
    return { how: closeCode === ABNORMAL ? 'aborted' : 'closed', closeCode }
  }

  private onDestroy(error: Error | null): void {
    if (this.hasWebsocket) return
    if (error === null) this.watcher(CLOSED)
    else this.watcher(isOfClient(error) ? ABORTED : { how: 'failed', error: messageOf(error) })
  }
}

/** Calls `see` when a stream is destroyed, by the method with which streams free what they hold. */
function watchDestruction(stream: Duplex, see: (error: Error | null) => void): void {
  const { _destroy } = stream
  stream._destroy = (error, done) => {
    see(error ?? null)
    _destroy.call(stream, error, done)
  }
}
