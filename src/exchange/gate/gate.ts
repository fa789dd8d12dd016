import { nextTick } from '../../clock.js'
import type { Answer, GateKeeper } from './keeper.js'

/**
 * Holds the bytes of a reply back until its Complete is stored.
 *
 * Node composes the reply as ever, so that handlers and libraries see its own `headersSent`, `writableEnded`, events,
 * return values and errors. Only what Node would hand to the connection next is kept back, by own properties in front
 * of its internal methods; which ones is known to a subclass for each kind of response. They stay in place once the
 * gate is open and pass through, because other libraries wrap the same methods on top.
 */

/** The parts that Node's HTTP/1 and HTTP/2 responses and the one of `inject` have in common. */
export interface GatedResponse {
  statusCode: number
  destroyed?: boolean
  write(chunk: unknown, encoding: unknown, callback: unknown): unknown
  end(chunk: unknown, encoding: unknown, callback: unknown): unknown
  destroy(error?: Error): unknown
  [GATE]?: Gate
}

/** Nothing was sent yet; the reply is held; it passes through; it was replaced, so what comes is swallowed. */
type State = 'waiting' | 'held' | 'open' | 'answered'

export const GATE = Symbol('fastify-audit-log.gate')

export abstract class Gate {
  protected state: State = 'waiting'
  /** The keeper is being told of the reply, from within the call that sends it. */
  private isReporting = false
  /** The first chunk of the body, before Node frames it. */
  private chunk: unknown = undefined
  private hasWritten = false
  private hasEnd = false
  /** A call to `destroy` that waits until everything that came before it is out. */
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

  /** Puts the gate on the response. */
  install(): void {
    const { response } = this
    response[GATE] = this
    response.write = gatedWrite
    response.end = gatedEnd
    response.destroy = gatedDestroy
  }

  /** The headers of the head that is composed, or of the one that would be now, by name in lower case. */
  abstract headers(): Record<string, unknown>
  /** The status of the head that is composed. */
  protected abstract readonly statusCode: number
  /** Sends what is held. */
  protected abstract release(): void
  /** Destroys the response, once what was released has left. */
  protected whenReleased(destroy: () => void): void {
    destroy()
  }

  /** Forgets what is held. */
  protected abstract forget(): void
  /** Sends a reply of ours; nothing is held. */
  protected abstract send(answer: Answer, headers: Record<string, unknown>): void

  /** Whether the connection is gone, or was given up by the application. */
  abstract readonly isGone: boolean

  /** The reply has begun. */
  get isUsed(): boolean {
    return this.state !== 'waiting'
  }

  /** Lets out what is held, as if nothing had been. */
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
  }

  /** Has Node take a held reply for one that has not ended: whose reply has, it takes for an idle connection. */
  hideEnd(_isHidden: boolean): void {}

  /** Replies in the place of whatever is or would be held, but never from within the call that sends that. */
  answer(answer: Answer): void {
    if (this.isReporting) nextTick(() => this.answer(answer))
    else if (this.state === 'waiting' || this.state === 'held') this.answerNow(answer)
  }

  /** Cuts the connection: nothing that was held goes out, nothing that comes later does. */
  cut(): void {
    if (this.state === 'held') this.forget()
    this.state = 'answered'
    this.callDestroy(undefined)
  }

  // What the methods in front of the response's call.

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
      return result
    } catch (error) {
      // Node refuses its arguments: another end will come.
      this.hasEnd = false
      throw error
    }
  }

  /** What was sent before a response is destroyed would be out without the gate. */
  onDestroy(error: Error | undefined): unknown {
    const { response } = this
    if (this.state === 'waiting' && !this.isClientGone) nextTick(() => this.giveUp())
    if (this.state !== 'held' || response.destroyed === true) return this.callDestroy(error)
    this.destruction ??= { error }
    if (response.destroyed === false) response.destroyed = true
    return this.destroyed
  }

  /** The client has closed the connection. Newer releases of Node then destroy the replies of pipelined requests. */
  protected get isClientGone(): boolean {
    return false
  }

  /** What `destroy` returns. */
  protected get destroyed(): unknown {
    return undefined
  }

  /** The response of `inject` replies even then. */
  private giveUp(): void {
    if (this.isWaiting) this.keeper.onGivenUp()
  }

  /** Whether bytes may leave; the keeper is told of the first ones of a reply. */
  protected passes(): boolean {
    if (this.state === 'waiting') this.tell(this.statusCode)
    return this.isOpen
  }

  /** Node sends nothing to a client that is gone, not even a head; the outcome is known all the same. */
  private lookForClient(): void {
    if (!this.isGone) return
    const status = Number(this.response.statusCode) | 0
    if (status >= 100 && status <= 999) this.tell(status)
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

  /** Also after a call that changed the state, which a compiler does not see. */
  protected get isOpen(): boolean {
    return this.state === 'open'
  }

  /** The call that sends the first bytes is known, and so is its chunk. */
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

  /** The response's class destroyed it by itself, after its end. */
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
    // The application gave the reply up itself: there is nobody to answer.
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

/** Calls a method of a response, which is whatever others have put there. */
export function call(method: unknown, self: object, args: readonly unknown[]): unknown {
  return typeof method === 'function' ? Reflect.apply(method, self, args) : undefined
}

/** What comes after the answer goes nowhere, but whoever waits for it to be written goes on. */
function goOn(...args: unknown[]): void {
  for (const callback of args) if (typeof callback === 'function') nextTick(callback)
}
