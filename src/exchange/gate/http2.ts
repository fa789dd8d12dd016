import { nextTick, setImmediate } from '../../clock.js'
import { AuditUnsupportedRuntime } from '../../errors.js'
import { call, GATE, Gate, type GatedResponse, type Progress } from './gate.js'
import type { Answer, GateKeeper } from './keeper.js'
import { type HoldableWritable, type Verdict, WritableHold } from './writable-hold.js'

/** Turns to wait for a reset: Node's client ends an upload in one turn of the event loop, and resets it in the next. */
const TURNS_TO_RESET = 3

/** Turns to wait for the rest of a body: a stream hands over its next chunks in the turn in which a write completes. */
const TURNS_TO_HAND_OVER = 4

interface Http2Stream extends HoldableWritable {
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  readonly writableLength: number
  readonly headRequest: boolean
  readonly closed: boolean
  readonly aborted: boolean
  readonly rstCode: number | undefined
  readonly endAfterHeaders: boolean
  readonly headersSent: boolean
  readonly sentHeaders: Readonly<Record<string, unknown>> | undefined
  respond(headers?: object, options?: object): void
  destroy(error?: Error): unknown
}

/** Native half of a stream; sends the head after Node has checked it and marked it as sent. */
interface Handle {
  respond(...args: unknown[]): number
}

export interface Http2Response extends GatedResponse {
  readonly stream: Http2Stream
  readonly req: { readonly headers: Readonly<Record<string, unknown>> }
  readonly writableEnded: boolean
  getHeaders(): Record<string, unknown>
  writeHead(...args: unknown[]): unknown
}

/** Holds the head before it reaches the stream's handle, and the body in the stream's `_write`. */
export class Http2Gate extends Gate {
  private readonly stream: Http2Stream
  private readonly handle: Handle
  private readonly respond: Handle['respond']
  private readonly body: WritableHold
  private head: readonly unknown[] | null = null
  /** True for a reply without a body: Node ends its stream before it sends the head. */
  private endsFirst = false
  /** True if the reply was ended after it was destroyed. */
  private endsLast = false
  private isAnswering = false
  /** True if a held reply ended in an earlier turn: without the gate its stream would be closed now. */
  private isOver = false
  private readonly writeHead: unknown
  /**
   * True while the client may turn out to be gone. If the upload's length was not announced, a reset is seen only a
   * moment after the upload has ended.
   */
  private mayBeGone: boolean

  constructor(
    private readonly raw: Http2Response,
    keeper: GateKeeper,
  ) {
    super(raw, keeper)
    this.stream = raw.stream
    this.handle = handleOf(raw.stream)
    this.respond = this.handle.respond
    this.mayBeGone = !raw.stream.endAfterHeaders && raw.req.headers['content-length'] === undefined
    this.body = new WritableHold(this.stream, (chunk) => this.verdict(chunk))
    this.writeHead = raw.writeHead
  }

  override install(): void {
    super.install()
    this.handle.respond = (...args) => this.onRespond(args)
    this.body.install()
    this.raw.writeHead = gatedWriteHead
  }

  get isGone(): boolean {
    const { destroyed, closed } = this.stream
    return destroyed || closed || this.isDestroyed
  }

  get progress(): Progress {
    const { aborted, rstCode = 0, writableFinished, destroyed } = this.stream
    if (aborted || rstCode !== 0) return 'broken'
    if (writableFinished) return 'sent'
    return destroyed ? 'broken' : 'running'
  }

  headers(): Record<string, unknown> {
    return { ...(this.stream.sentHeaders ?? this.raw.getHeaders()) }
  }

  protected get statusCode(): number {
    return Number(this.stream.sentHeaders?.[':status'])
  }

  /** Reports a head that was sent alone before its stream is destroyed, since Node would have sent it. */
  override onDestroy(error: Error | undefined): unknown {
    if (!this.isUsed && this.head !== null) {
      this.mayBeGone = false
      this.report()
    }
    return super.onDestroy(error)
  }

  /** Ignores a second head after the stream's end, as Node does for a closed stream; before that, Node refuses it. */
  onWriteHead(args: readonly unknown[]): unknown {
    if (this.isOver || (this.isHeld && this.isDestroyed)) return this.raw
    return call(this.writeHead, this.raw, args)
  }

  override onWrite(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    return this.isDestroyed ? false : super.onWrite(chunk, encoding, callback)
  }

  override onEnd(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    if (!this.isDestroyed) return super.onEnd(chunk, encoding, callback)
    this.endsLast = true
    return this.raw
  }

  protected override whenReleased(destroy: () => void): void {
    if (this.isDestroyed) this.handOver(TURNS_TO_HAND_OVER, destroy)
  }

  /** Sends the data written before the stream was destroyed first, unless the client is slow. */
  private handOver(turns: number, destroy: () => void): void {
    if (turns > 0 && this.stream.writableLength > 0 && !this.stream.destroyed) {
      setImmediate(() => this.handOver(turns - 1, destroy))
      return
    }
    destroy()
    if (this.endsLast) super.onEnd(undefined, undefined, undefined)
  }

  private onRespond(args: readonly unknown[]): number {
    if (this.isAnswering) return this.sendHead(args)
    this.head = args
    const result = this.onHead()
    // Without a body, the reply is over with its head.
    if (this.head !== null && this.stream.writableEnded) afterThisTurn(() => this.noteOver())
    return result
  }

  private onHead(): number {
    if (this.isUsed) return this.report()
    if (this.mayBeGone) {
      this.waitForReset(TURNS_TO_RESET)
      return 0
    }
    // Wait a tick: a head that is sent alone is usually followed by its body at once.
    if (this.isInCall) return this.report()
    nextTick(() => this.report())
    return 0
  }

  private waitForReset(turns: number): void {
    setImmediate(() => {
      if (turns > 1 && !this.isGone) {
        this.waitForReset(turns - 1)
        return
      }
      this.mayBeGone = false
      this.report()
    })
  }

  /** Reports the head to the keeper, and sends it unless it is held. */
  private report(): number {
    const { head } = this
    if (head === null || this.isHeld || (this.mayBeGone && !this.isUsed) || !this.passes()) return 0
    this.head = null
    return this.sendAll(head)
  }

  private sendAll(head: readonly unknown[]): number {
    if (this.endsFirst) this.body.release()
    const result = this.sendHead(head)
    this.body.release()
    return result
  }

  private sendHead(head: readonly unknown[]): number {
    // Responding on a destroyed stream would crash Node.
    return this.stream.destroyed ? 0 : this.respond.apply(this.handle, [...head])
  }

  private verdict(chunk: unknown): Verdict {
    // A closed stream sends nothing more, and is destroyed after its end.
    if (this.stream.closed) return 'pass'
    const isEnd = chunk === null
    if (!this.isUsed && !isEnd && !this.stream.headersSent) {
      // After a direct write to the stream, compose the head here, within that write, as Node does.
      this.stream.respond()
    }
    if (!this.isUsed) {
      if (isEnd && this.head === null) this.endsFirst = true
      this.report()
    }
    if (this.isHeld || !this.isUsed) {
      if (isEnd) afterThisTurn(() => this.noteOver())
      return 'hold'
    }
    return !isEnd && (this.isAnswering || this.isAnswered) ? 'drop' : 'pass'
  }

  private noteOver(): void {
    this.isOver = true
  }

  protected release(): void {
    const { head, stream } = this
    this.head = null
    if (stream.destroyed) return
    if (head === null || stream.closed) {
      this.body.release()
      return
    }
    const result = this.sendAll(head)
    if (result < 0) stream.destroy(new Error(`Node refused the head of a reply: ${result}`))
  }

  protected forget(): void {
    this.head = null
  }

  /** Writes the answer directly, because the stream may have ended already; then discards what the stream holds. */
  protected send({ statusCode, body }: Answer, headers: Record<string, unknown>): void {
    const { stream, raw } = this
    if (stream.destroyed) return
    const fields = Object.entries(headers).filter(([name]) => !name.startsWith(':') && name !== 'connection')
    this.isAnswering = true
    try {
      // Clear Node's mark that the forgotten head was sent.
      Object.defineProperty(stream, 'headersSent', { value: false, configurable: true })
      stream.respond({ ...Object.fromEntries(fields), ':status': statusCode }, {})
      Reflect.deleteProperty(stream, 'headersSent')
      if (!stream.headRequest) this.body.bypass(body)
      this.body.discard()
      call(Reflect.get(Object.getPrototypeOf(raw), 'end', raw), raw, [])
    } finally {
      this.isAnswering = false
    }
  }
}

/** Runs a function after everything in this turn of the event loop, and before the next turn. */
function afterThisTurn(run: () => void): void {
  nextTick(() => Promise.resolve().then(() => nextTick(run)))
}

/** Finds the handle by its `respond` method, because its key is a private symbol of Node. */
function handleOf(stream: Http2Stream): Handle {
  for (const key of Object.getOwnPropertySymbols(stream)) {
    const value: unknown = Reflect.get(stream, key)
    if (isHandle(value)) return value
  }
  if (stream.destroyed) return { respond: () => 0 }
  throw new AuditUnsupportedRuntime('its HTTP/2 streams have no handle', process.version)
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'respond' in value && typeof value.respond === 'function'
}

function gatedWriteHead(this: Http2Response, ...args: unknown[]): unknown {
  const gate = this[GATE]
  return gate instanceof Http2Gate ? gate.onWriteHead(args) : undefined
}
