import { type Args, headersSentError, isChunk, type Method, refuseAfterEnd, swallow } from './raw-calls.js'
import { checkHeader, checkValue, copyHead, headerPairs, headersOf, isStatus, toStatus } from './raw-head.js'

/**
 * Holds a raw response back until its Complete is stored.
 *
 * Hijacked, raw and event-stream replies run no `onSend`, and no place among the hooks is the last one, so the gate
 * sits on the response itself: own properties in front of the methods that send bytes. They stay in place once it is
 * open and pass through, because other libraries (on-headers, and all that use it) wrap the same methods on top.
 */

/** What a gate needs of Node's HTTP/1 and HTTP/2 responses, and of the one that `inject` uses. */
export interface RawResponse {
  statusCode: number
  writeHead(...args: never[]): unknown
  write(...args: never[]): unknown
  end(...args: never[]): unknown
  flushHeaders(...args: never[]): unknown
  addTrailers(...args: never[]): unknown
  getHeaders(): Record<string, unknown>
  removeHeader(name: string): void
  setHeader(...args: never[]): unknown
  emit(event: 'drain'): boolean
  destroy(error?: Error): unknown
  [GATE]?: Gate
}

/** Who decides when the gate opens. */
export interface GateKeeper {
  /**
   * The first bytes of the reply are held; the keeper opens the gate, or answers, now or later. `isWhole`: no others
   * will follow.
   */
  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void
  /** The whole reply is held, so that a second one must be turned away as if it had been sent. */
  onReplyEnd(): void
  /** The head is out, with this status. */
  onSent(statusCode: number): void
  /** Node refused a call that was held; the connection is cut. */
  onGateError(error: unknown): void
}

interface Call {
  readonly method: Method
  readonly args: Args
}

/** Nothing was sent yet; the reply is held; it passes through; it was replaced, so what comes is swallowed. */
type State = 'waiting' | 'held' | 'open' | 'answered'

export const GATE = Symbol('fastify-audit-log.gate')

export class Gate {
  state: State = 'waiting'
  /** A `writeHead` that sent nothing yet: Node only composes the head there. */
  head: Args | null = null
  private held: Call[] | null = null
  /** HTTP/2 sends whatever trailers are set, so those of a reply that may be replaced are not set yet. */
  private trailers: Args[] | null = null
  /** The status when the first bytes came: the one that is recorded, whatever is set later. */
  private heldStatus = 0
  private hasEnd = false
  private wantsDrain = false
  private readonly writeHead: unknown
  private readonly write: unknown
  private readonly end: unknown
  private readonly flushHeaders: unknown
  private readonly addTrailers: unknown

  /** Puts a gate on a response. */
  constructor(
    readonly raw: RawResponse,
    private readonly keeper: GateKeeper,
    private readonly isHttp2: boolean,
  ) {
    this.writeHead = raw.writeHead
    this.write = raw.write
    this.end = raw.end
    this.flushHeaders = raw.flushHeaders
    this.addTrailers = raw.addTrailers
    raw[GATE] = this
    raw.writeHead = gatedWriteHead
    raw.write = gatedWrite
    raw.end = gatedEnd
    raw.flushHeaders = gatedFlushHeaders
    raw.addTrailers = gatedAddTrailers
  }

  /** Lets out what was held, as if nothing had been. */
  open(): void {
    if (this.state === 'open' || this.state === 'answered') return
    this.state = 'open'
    const isNothingHeld = this.held === null
    try {
      this.replay()
      if (!isNothingHeld) this.keeper.onSent(this.raw.statusCode)
    } catch (error) {
      this.held = null
      this.keeper.onGateError(error)
      this.raw.destroy()
    }
  }

  /**
   * Replies in the place of whatever is or would be held. The class's own methods are used, so that no wrapper adds a
   * header, and `keep` says which of those that are set survive.
   */
  answer(statusCode: number, headers: Record<string, unknown>, body: string, keep: (name: string) => boolean): void {
    if (this.state === 'open' || this.state === 'answered') return
    const { raw } = this
    const kept = keptHeaders(this.headersSoFar(), keep)
    this.held = null
    // Some classes call `this.write` within `end`: let it through.
    this.state = 'open'
    try {
      for (const name of Object.keys(raw.getHeaders())) raw.removeHeader(name)
      const plain: object = Object.getPrototypeOf(raw)
      raw.statusCode = statusCode
      apply(Reflect.get(plain, 'writeHead', raw), raw, [statusCode, { ...kept, ...headers }])
      apply(Reflect.get(plain, 'end', raw), raw, [body])
    } catch (error) {
      this.keeper.onGateError(error)
      raw.destroy()
    }
    this.state = 'answered'
    this.drain()
  }

  /** Cuts the connection: nothing that was held goes out, nothing that comes later does. */
  cut(): void {
    this.state = 'answered'
    this.held = null
    this.raw.destroy()
  }

  /** One call to a method that the gate is in front of. */
  call(method: Method, args: Args): unknown {
    if (this.state === 'open') return this.pass(method, args)
    if (this.state === 'answered') return swallow(this.raw, method, args)
    if (method === 'writeHead') return this.holdHead(args)
    if (method === 'addTrailers') return this.holdTrailers(args)
    // What Node refuses, it refuses now: it throws before it sends anything.
    if (!isChunk(method, args[0], this.isHttp2)) return this.pass(method, args)
    if (this.state === 'waiting') {
      if (!isStatus(this.statusCode, this.isHttp2)) return this.pass(method, args)
      this.state = 'held'
      this.heldStatus = this.raw.statusCode
      this.keeper.onReply(this.statusCode, method === 'flushHeaders' ? undefined : args[0], method === 'end')
      // The keeper may have opened or answered at once: what came before this call first, then this one.
      if (!this.isHeld()) return this.callAtOnce(method, args)
    }
    return this.hold(method, args)
  }

  private callAtOnce(method: Method, args: Args): unknown {
    const result = this.call(method, args)
    if (this.state === 'open') this.keeper.onSent(this.raw.statusCode)
    return result
  }

  private isHeld(): boolean {
    return this.state === 'held'
  }

  private get statusCode(): number {
    return toStatus(this.head === null ? this.raw.statusCode : this.head[0], this.isHttp2)
  }

  /** A `writeHead` is checked as Node would, and remembered. */
  private holdHead(args: Args): unknown {
    const { raw } = this
    // The first reply is whole: a second one must not change it.
    if (this.hasEnd) return raw
    if (this.state === 'held' && this.head === null) {
      // Its first chunk was held when the reply's source failed: without the gate the head would have been out and
      // the connection cut. Throwing here as Node does would end the process, for Fastify expects nothing of the kind.
      this.cut()
      return raw
    }
    if (this.head !== null) throw headersSentError()
    const status = toStatus(args[0], this.isHttp2)
    if (!isStatus(status, this.isHttp2)) return this.pass('writeHead', args)
    this.checkHeaders(args)
    this.head = copyHead(status, args)
    return raw
  }

  /** HTTP/2's own writeHead sets every header; on HTTP/1 they are only checked, so that the call stays as it was. */
  private checkHeaders(args: Args): void {
    if (typeof args[1] === 'string') checkValue('statusMessage', args[1])
    const headers = headersOf(args)
    if (Array.isArray(headers) || this.isHttp2) {
      for (const [name, value] of headerPairs(headers)) {
        if (this.isHttp2) Reflect.apply(this.raw.setHeader, this.raw, [name, value])
        else checkHeader(name, value)
      }
    } else if (typeof headers === 'object' && headers !== null) {
      for (const name in headers) checkHeader(name, Reflect.get(headers, name))
    }
  }

  /** Trailers send nothing: they only follow what is held. */
  private holdTrailers(args: Args): unknown {
    if (this.state === 'held') return this.hold('addTrailers', args)
    // HTTP/1 has none after an answer, whose length is known.
    if (!this.isHttp2) return this.pass('addTrailers', args)
    for (const [name, value] of headerPairs(args[0])) checkHeader(name, value)
    this.trailers ??= []
    this.trailers.push(args)
    return undefined
  }

  private hold(method: Method, args: Args): unknown {
    if (this.hasEnd) return refuseAfterEnd(this.raw, method, args)
    // Mostly the only one: a list of one is made as large as that.
    if (this.held === null) this.held = [{ method, args }]
    else this.held.push({ method, args })
    if (method === 'write') {
      this.wantsDrain = true
      return false
    }
    if (method === 'end') {
      this.hasEnd = true
      this.keeper.onReplyEnd()
    }
    return this.raw
  }

  private pass(method: Method, args: Args): unknown {
    return apply(this.original(method), this.raw, args)
  }

  /** By name, not by `this[method]`, which V8 looks up anew each time. */
  private original(method: Method): unknown {
    if (method === 'end') return this.end
    if (method === 'writeHead') return this.writeHead
    if (method === 'write') return this.write
    return method === 'flushHeaders' ? this.flushHeaders : this.addTrailers
  }

  private replay(): void {
    const { head, held, trailers } = this
    this.held = null
    this.head = null
    this.trailers = null
    for (const args of trailers ?? []) this.pass('addTrailers', args)
    if (head !== null) this.pass('writeHead', head)
    else if (held !== null) this.raw.statusCode = this.heldStatus
    let isFlowing: unknown = true
    for (const { method, args } of held ?? []) {
      const result = this.pass(method, args)
      if (method === 'write') isFlowing = result
    }
    // Where Node took all of it, no 'drain' of its own will follow.
    if (isFlowing !== false) this.drain()
  }

  private drain(): void {
    if (!this.wantsDrain) return
    this.wantsDrain = false
    if (!this.hasEnd) this.raw.emit('drain')
  }

  /** Every header that is set, in either of the two ways. */
  headersSoFar(): Record<string, unknown> {
    const headers: Record<string, unknown> = { ...this.raw.getHeaders() }
    if (this.head !== null) {
      for (const [name, value] of headerPairs(headersOf(this.head))) headers[name.toLowerCase()] = value
    }
    return headers
  }
}

function gatedWriteHead(this: RawResponse, ...args: unknown[]): unknown {
  return this[GATE]?.call('writeHead', args)
}

function gatedWrite(this: RawResponse, ...args: unknown[]): unknown {
  return this[GATE]?.call('write', args)
}

function gatedEnd(this: RawResponse, ...args: unknown[]): unknown {
  return this[GATE]?.call('end', args)
}

function gatedFlushHeaders(this: RawResponse, ...args: unknown[]): unknown {
  return this[GATE]?.call('flushHeaders', args)
}

function gatedAddTrailers(this: RawResponse, ...args: unknown[]): unknown {
  return this[GATE]?.call('addTrailers', args)
}

function apply(method: unknown, raw: RawResponse, args: Args): unknown {
  return typeof method === 'function' ? Reflect.apply(method, raw, args) : undefined
}

function keptHeaders(headers: Record<string, unknown>, keep: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => value !== undefined && keep(name)))
}
