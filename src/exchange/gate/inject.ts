import { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { setImmediate } from '../../clock.js'
import { call, GATE } from './gate.js'
import { Http1Gate, type Http1Response } from './http1.js'
import type { Answer, GateKeeper } from './keeper.js'

/** What the response of `inject` keeps for its caller beside what it writes to a connection that goes nowhere. */
interface Injected {
  payloadChunks?: unknown[]
  trailers: Record<string, string>
  /** With `payloadAsStream`. */
  stream?: Readable
  onEndSuccess?: (result: unknown) => void
}

export interface InjectResponse extends Http1Response {
  statusMessage: string
  readonly _lightMyRequest: Injected
}

/**
 * Its caller is given the reply when it emits 'finish', which it does by itself at its end; with `payloadAsStream` when
 * its head is composed.
 */
export class InjectGate extends Http1Gate {
  private readonly emit: unknown
  private readonly onEndSuccess: Injected['onEndSuccess']
  private isFinishHeld = false
  /** The response was destroyed before its end, which its caller is to hear of first. */
  private readonly later: unknown[][] = []
  private destroysAtOnce = false
  /** What its caller is told of at its end, which the application may change while that is held. */
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

  /** The class destroys the response at its end. */
  override get isGone(): boolean {
    return this.injected.destroyed && !this.isFinishHeld
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

  /** Whoever reads the stream begins in a later turn. */
  protected override whenReleased(destroy: () => void): void {
    if (this.injected._lightMyRequest.stream === undefined || this.destroysAtOnce) destroy()
    else setImmediate(destroy)
  }

  /** The class itself keeps also what comes after its end. */
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
