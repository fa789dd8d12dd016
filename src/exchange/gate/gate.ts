import { nextTick } from '../../clock.js'
import type { Answer, GateKeeper } from './keeper.js'

/**
 * Holds back the bytes of a reply until its Complete is stored.
 *
 * Node composes the reply as usual, so handlers and libraries see its own `headersSent`, `writableEnded`, events, return
 * values and errors. Only the bytes that Node would hand to the connection are held, by own properties that shadow its
 * internal methods. Each kind of response has a subclass that knows these methods. The properties stay after the gate
 * opens and pass everything through, because other libraries may have wrapped them.
 */

/** Members common to Node's HTTP/1 and HTTP/2 responses and that of `inject`. */
export interface GatedResponse {
  statusCode: number
  destroyed?: boolean
  write(chunk: unknown, encoding: unknown, callback: unknown): unknown
  end(chunk: unknown, encoding: unknown, callback: unknown): unknown
  destroy(error?: Error): unknown
  [GATE]?: Gate
}

/** `waiting`: nothing was sent. `held`: bytes wait. `open`: bytes pass. `answered`: replaced; later bytes are dropped. */
type State = 'waiting' | 'held' | 'open' | 'answered'

/** State of a reply that was let out. `sent`: its connection has taken all of it. */
export type Progress = 'running' | 'sent' | 'broken'

export const GATE = Symbol('fastify-audit-log.gate')

export abstract class Gate {
  protected state: State = 'waiting'
  /** True while the keeper's `onReply` runs, inside the call that sends the reply. */
  private isReporting = false
  /** First chunk of the body, before Node frames it. */
  private chunk: unknown = undefined
  private hasWritten = false
  private hasEnd = false
  /** Delayed call to `destroy`; it runs after everything sent before it is out. */
  private destruction: { readonly error: Error | undefined } | null = null
  private readonly write: GatedResponse['write']
  private readonly end: GatedResponse['end']
  private readonly destroy: GatedResponse['destroy']

  constructor(
    private readonly response: GatedResponse,
    private readonly keeper: GateKeeper,
  ) {
    this.write = response.write
    this.end = response.end
    this.destroy = response.destroy
  }

  /** Shadows the response's methods. */
  install(): void {
    const { response } = this
    response[GATE] = this
    response.write = gatedWrite
    response.end = gatedEnd
    response.destroy = gatedDestroy
  }

  /** Returns the headers of the composed head, or of the one that would be composed now, by lower-case name. */
  abstract headers(): Record<string, unknown>
  /** Status of the composed head. */
  protected abstract readonly statusCode: number
  /** Sends the held bytes. */
  protected abstract release(): void
  /** Destroys the response after the released bytes have left. */
  protected whenReleased(destroy: () => void): void {
    destroy()
  }

  /** Discards the held bytes. */
  protected abstract forget(): void
  /** Sends this plugin's own reply; nothing is held at that time. */
  protected abstract send(answer: Answer, headers: Record<string, unknown>): void

  /** True if the connection is gone, or the application gave it up. */
  abstract readonly isGone: boolean
  /** State of the reply; only for one that was let out. */
  abstract readonly progress: Progress

  /** True after the reply has begun. */
  get isUsed(): boolean {
    return this.state !== 'waiting'
  }

  /** Sends the held bytes, and lets later ones pass. */
  open(): void {
    if (this.state === 'open' || this.state === 'answered') return
    const isAnythingHeld = this.state === 'held' && !this.isReporting
    this.state = 'open'
    if (!isAnythingHeld) return
    try {
      this.release()
    } finally {
      if (this.destruction !== null) this.whenReleased(() => this.destroyAtLast())
    }
    if (this.hasEnd && !this.hasWritten) this.lookForRest()
  }

  /** Hides from Node that a held reply has ended: Node regards its connection as idle otherwise, and may close it. */
  hideEnd(_isHidden: boolean): void {}

  /** Replaces the reply that is or would be held, but never inside the call that sends it. */
  answer(answer: Answer): void {
    if (this.isReporting) nextTick(() => this.answer(answer))
    else if (this.state === 'waiting' || this.state === 'held') this.answerNow(answer)
  }

  /** Cuts the connection: neither held nor later bytes are sent. */
  cut(): void {
    if (this.state === 'held') this.forget()
    this.state = 'answered'
    this.callDestroy(undefined)
  }

  // Calls from the methods that shadow the response's.

  onWrite(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    if (this.state === 'answered') {
      goOn(encoding, callback)
      return true
    }
    if (this.state === 'waiting' && !this.hasEnd) {
      if (!this.hasWritten) this.chunk = chunk
      this.hasWritten = true
    }
    const result = this.write.call(this.response, chunk, encoding, callback)
    if (this.state === 'waiting') this.lookForClient()
    return result
  }

  onEnd(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    const { response } = this
    if (this.state === 'answered') {
      goOn(chunk, encoding, callback)
      return response
    }
    if (this.state !== 'waiting') return this.end.call(response, chunk, encoding, callback)
    if (!this.hasWritten) this.chunk = chunk
    this.hasEnd = true
    try {
      const result = this.end.call(response, chunk, encoding, callback)
      if (this.isWaiting) this.lookForClient()
      if (this.isOpen && !this.hasWritten) this.lookForRest()
      return result
    } catch (error) {
      // Node refused the arguments, so expect another call to `end`.
      this.hasEnd = false
      throw error
    }
  }

  /** Delays destruction of a held reply: without the gate, its bytes would have been sent before. */
  onDestroy(error: Error | undefined): unknown {
    const { response } = this
    if (this.state === 'waiting' && !this.isClientGone) nextTick(() => this.giveUp())
    if (this.state !== 'held' || response.destroyed === true) return this.callDestroy(error)
    this.destruction ??= { error }
    if (response.destroyed === false) response.destroyed = true
    return this.destroyed
  }

  /** True if the client closed the connection; newer Node releases then destroy the replies of pipelined requests. */
  protected get isClientGone(): boolean {
    return false
  }

  /** Return value of `destroy`. */
  protected get destroyed(): unknown {
    return undefined
  }

  /** Reports a destroyed response, unless a reply began meanwhile: that of `inject` replies even then. */
  private giveUp(): void {
    if (this.isWaiting) this.keeper.onGivenUp()
  }

  /** Returns true if bytes may be sent; reports the first bytes of a reply to the keeper. */
  protected passes(): boolean {
    if (this.state === 'waiting') this.tell(this.statusCode)
    return this.isOpen
  }

  /** Reports a reply to a client that is gone: Node sends nothing, not even a head, but the outcome is known. */
  private lookForClient(): void {
    if (!this.isGone) return
    const status = Number(this.response.statusCode) | 0
    if (status >= 100 && status <= 999) this.tell(status)
  }

  /** Reports a whole reply that has not left yet: its client reads slowly, or is gone. */
  private lookForRest(): void {
    if (this.progress !== 'sent') this.keeper.onUnsent()
  }

  private tell(statusCode: number): void {
    this.state = 'held'
    this.isReporting = true
    try {
      this.keeper.onReply(statusCode, this.chunk, this.hasEnd && !this.hasWritten)
    } finally {
      this.isReporting = false
    }
  }

  private get isWaiting(): boolean {
    return this.state === 'waiting'
  }

  /** Getter, because the compiler does not see that a call may have changed the state. */
  protected get isOpen(): boolean {
    return this.state === 'open'
  }

  /** True once `write` or `end` was called, so that the first chunk is known. */
  protected get isInCall(): boolean {
    return this.hasWritten || this.hasEnd
  }

  protected get isEnding(): boolean {
    return this.hasEnd
  }

  protected get isDestroyed(): boolean {
    return this.destruction !== null
  }

  protected get isAnswered(): boolean {
    return this.state === 'answered'
  }

  protected get isHeld(): boolean {
    return this.state === 'held'
  }

  /** Cancels a delayed destruction that the response's own class requested after its end. */
  protected forgetDestruction(): void {
    if (this.destruction === null) return
    this.destruction = null
    if (this.response.destroyed === true) this.response.destroyed = false
  }

  private answerNow(answer: Answer): void {
    const kept = Object.entries(this.headers()).filter(
      ([name, value]) => value !== undefined && answer.keeps(name, value),
    )
    if (this.state === 'held') this.forget()
    // The application gave the reply up itself, so send no answer.
    if (this.destruction !== null) {
      this.state = 'answered'
      this.destroyAtLast()
      return
    }
    this.state = 'open'
    try {
      this.send(answer, { ...Object.fromEntries(kept), ...answer.headers })
    } catch (error) {
      this.keeper.onGateError(error)
      this.callDestroy(undefined)
    }
    this.state = 'answered'
  }

  private destroyAtLast(): void {
    const { destruction } = this
    if (destruction === null) return
    this.forgetDestruction()
    this.callDestroy(destruction.error)
  }

  private callDestroy(error: Error | undefined): unknown {
    return this.destroy.call(this.response, error)
  }
}

function gatedWrite(this: GatedResponse, chunk: unknown, encoding: unknown, callback: unknown): unknown {
  return this[GATE]?.onWrite(chunk, encoding, callback)
}

function gatedEnd(this: GatedResponse, chunk: unknown, encoding: unknown, callback: unknown): unknown {
  return this[GATE]?.onEnd(chunk, encoding, callback)
}

function gatedDestroy(this: GatedResponse, error?: Error): unknown {
  return this[GATE]?.onDestroy(error)
}

/** Calls a method that other libraries may have replaced with any value. */
export function call(method: unknown, self: object, args: readonly unknown[]): unknown {
  return typeof method === 'function' ? Reflect.apply(method, self, args) : undefined
}

/** Calls the callbacks of dropped writes, so that code waiting for them continues. */
function goOn(...args: unknown[]): void {
  for (const callback of args) if (typeof callback === 'function') nextTick(callback)
}
