import { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { setImmediate } from '../../clock.js'
import { call, GATE, type Progress } from './gate.js'
import { Http1Gate, type Http1Response } from './http1.js'
import type { Answer, GateKeeper } from './keeper.js'

/** Data that the response of `inject` keeps for its caller; its connection goes nowhere. */
interface Injected {
  payloadChunks?: unknown[]
  trailers: Record<string, string>
  /** Present with `payloadAsStream`. */
  stream?: Readable
  onEndSuccess?: (result: unknown) => void
}

export interface InjectResponse extends Http1Response {
  statusMessage: string
  readonly _lightMyRequest: Injected
}

/**
 * Holds the reply of `inject`. Its caller gets the reply when the response emits 'finish', which it does itself at its
 * end; with `payloadAsStream`, when the head is composed.
 */
export class InjectGate extends Http1Gate {
  private readonly emit: unknown
  private readonly onEndSuccess: Injected['onEndSuccess']
  private isFinishHeld = false
  /** Events of a response destroyed before its held end was reported; the caller must see the end first. */
  private readonly later: unknown[][] = []
  private destroysAtOnce = false
  /** Values at the end of the reply, kept because the application may change them while 'finish' is held. */
  private ending = { statusCode: 0, statusMessage: '', chunks: 0 }
  private result: { readonly value: unknown } | null = null

  constructor(
    private readonly injected: InjectResponse,
    keeper: GateKeeper,
  ) {
    super(injected, keeper)
    this.emit = injected.emit
    this.onEndSuccess = injected._lightMyRequest.onEndSuccess
  }

  override install(): void {
    super.install()
    this.injected.emit = gatedEmit
    const reply = this.injected._lightMyRequest
    if (reply.stream !== undefined && this.onEndSuccess !== undefined) {
      reply.onEndSuccess = (result) => this.onHead(result)
    }
  }

  onEmit(event: string, args: readonly unknown[]): unknown {
    if (this.isFinishHeld && this.isHeld && (event === 'close' || event === 'error')) {
      this.later.push([event, ...args])
      return true
    }
    if (event !== 'finish' || !this.isHeld) return call(this.emit, this.injected, [event, ...args])
    if (this.isFinishHeld) return true
    this.isFinishHeld = true
    const { statusCode, statusMessage, _lightMyRequest } = this.injected
    this.ending = { statusCode, statusMessage, chunks: _lightMyRequest.payloadChunks?.length ?? 0 }
    return true
  }

  /** Ignores a destruction after the end: the class destroys the response itself. */
  override get isGone(): boolean {
    return this.injected.destroyed && !this.isFinishHeld
  }

  /** Its connection goes nowhere: the caller has what was sent. */
  override get progress(): Progress {
    if (this.injected.finished) return 'sent'
    return this.injected.destroyed ? 'broken' : 'running'
  }

  protected override get destroyed(): undefined {
    return undefined
  }

  private onHead(value: unknown): void {
    if (this.passes() || this.isAnswered) this.onEndSuccess?.(value)
    else this.result = { value }
  }

  protected override release(): void {
    super.release()
    if (this.result !== null) this.onEndSuccess?.(this.result.value)
    if (this.isFinishHeld) this.finish()
  }

  private finish(): void {
    const { injected } = this
    const { payloadChunks } = injected._lightMyRequest
    const { statusCode, statusMessage, chunks } = this.ending
    const later = { statusCode: injected.statusCode, statusMessage: injected.statusMessage }
    if (payloadChunks !== undefined) payloadChunks.length = chunks
    Object.assign(injected, { statusCode, statusMessage })
    call(this.emit, injected, ['finish'])
    Object.assign(injected, later)
    this.emitLater()
  }

  private emitLater(): void {
    for (const event of this.later.splice(0)) call(this.emit, this.injected, event)
  }

  override onDestroy(error: Error | undefined): unknown {
    this.destroysAtOnce = this.isCorked
    return super.onDestroy(error)
  }

  /** Waits a turn with `payloadAsStream`: readers of the stream begin in a later turn. */
  protected override whenReleased(destroy: () => void): void {
    if (this.injected._lightMyRequest.stream === undefined || this.destroysAtOnce) destroy()
    else setImmediate(destroy)
  }

  /** Bypasses the class after the end: it would add later chunks to the payload too. */
  override onWrite(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    if (!this.isFinishHeld) return super.onWrite(chunk, encoding, callback)
    return call(ServerResponse.prototype.write, this.injected, [chunk, encoding, callback])
  }

  protected override forget(): void {
    super.forget()
    const reply = this.injected._lightMyRequest
    if (reply.payloadChunks !== undefined) reply.payloadChunks.length = 0
    reply.trailers = {}
    reply.stream?.read()
    this.result = null
    if (this.isFinishHeld) this.forgetDestruction()
    this.isFinishHeld = false
    this.emitLater()
  }

  protected override send(answer: Answer, headers: Record<string, unknown>): void {
    if (!this.injected.destroyed) super.send(answer, headers)
  }
}

function gatedEmit(this: InjectResponse, event: string, ...args: unknown[]): boolean {
  const gate = this[GATE]
  return gate instanceof InjectGate && gate.onEmit(event, args) === true
}
