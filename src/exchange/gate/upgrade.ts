import type { Duplex } from 'node:stream'
import { statusOfHead } from './response-head.js'
import { type Verdict, WritableHold } from './writable-hold.js'

/** Number of bytes to read; longer than any status line up to its status. */
const STATUS_LINE_BYTES = 16

/** `waiting`: nothing was written. `held`: the reply waits. `open`: bytes pass. `refused`: later bytes are dropped. */
type State = 'waiting' | 'held' | 'open' | 'refused'

/** Decides when the reply to an upgrade goes out. */
export interface HandshakeKeeper {
  /** Called when the reply is held; the keeper opens the gate or refuses, now or later. */
  onHandshake(statusCode: number): void
}

/**
 * Holds the reply to an upgrade, which a websocket library writes directly to the socket, bypassing the response: the
 * `101` and the library's refusals.
 */
export class UpgradeGate {
  private state: State = 'waiting'
  private readonly hold: WritableHold

  constructor(
    readonly socket: Duplex,
    private readonly response: { readonly headersSent: boolean },
    private readonly keeper: HandshakeKeeper,
  ) {
    this.hold = new WritableHold(socket, (chunk) => this.verdict(chunk))
  }

  /** Shadows the socket's methods. */
  install(): void {
    this.hold.install()
  }

  get isHeld(): boolean {
    return this.state === 'held'
  }

  /** Sends the reply, and lets everything after it pass. */
  open(): void {
    if (this.state !== 'held') return
    this.state = 'open'
    this.hold.release()
  }

  /** Sends this text instead of the reply, and closes the connection. */
  refuse(text: string): void {
    if (this.state !== 'held') return
    this.state = 'refused'
    this.hold.bypass(text, () => this.socket.destroy())
    this.hold.discard()
  }

  private verdict(chunk: unknown): Verdict {
    if (this.state === 'waiting') this.look(chunk)
    if (this.state === 'held') return 'hold'
    return this.state === 'refused' ? 'drop' : 'pass'
  }

  private look(chunk: unknown): void {
    // Bytes from the response are held by the response's own gate.
    if (this.response.headersSent) return
    const status = statusOfHead(textOf(chunk))
    if (status === 0 || (status < 200 && status !== 101)) return
    this.state = 'held'
    this.keeper.onHandshake(status)
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk
  return chunk instanceof Uint8Array ? Buffer.from(chunk.subarray(0, STATUS_LINE_BYTES)).toString('latin1') : ''
}
