import { nextTick } from '../../clock.js'
import { call, GATE, Gate, type GatedResponse, type Progress } from './gate.js'
import type { Answer, GateKeeper } from './keeper.js'
import { headersOfHead, statusOfHead } from './response-head.js'

/** Piece of a reply that waits for its connection. */
interface Output {
  readonly data: string | Uint8Array
  readonly encoding: unknown
  readonly callback: unknown
}

/**
 * Unpublished members of Node's HTTP/1 response; the same in Node 20, 22 and 24. `checkRuntime` verifies at boot that
 * they still work.
 */
export interface Http1Response extends GatedResponse {
  readonly req: { readonly method?: string | undefined; readonly socket: { readonly destroyed: boolean } | null }
  destroyed: boolean
  /** Composed head; null before it is composed. */
  _header: string | null
  _headerSent: boolean
  _trailer: string
  _contentLength: number | null
  _hasBody: boolean
  _last: boolean
  _removedConnection: boolean
  _removedContLen: boolean
  _removedTE: boolean
  strictContentLength: boolean
  chunkedEncoding: boolean
  finished: boolean
  /** Bytes that Node keeps for a pipelined request until its turn comes. */
  outputData: Output[]
  outputSize: number
  readonly writableLength: number
  readonly writableHighWaterMark: number
  readonly writableCorked: number
  readonly writableNeedDrain: boolean
  readonly socket: {
    readonly destroyed: boolean
    readonly writableCorked: number
    readonly _writableState?: { corked: number }
  } | null
  uncork(): void
  getHeaders(): Record<string, unknown>
  removeHeader(name: string): void
  on(event: 'error', listener: () => void): unknown
  emit(event: string, ...args: unknown[]): boolean
  _onPendingData(bytes: number): void
  /** Sends bytes; every byte goes through this method. */
  _writeRaw(data: string | Uint8Array, encoding: unknown, callback: unknown, size?: number): boolean
  /** Sends `outputData`; Node calls it when it assigns the connection to the response. */
  _flush(): void
}

/**
 * Holds a reply in `outputData`, where Node itself keeps the reply to a pipelined request whose turn has not come. So
 * everything else in Node's response behaves as it does for such a request.
 */
export class Http1Gate extends Gate {
  private readonly writeRaw: Http1Response['_writeRaw']
  private readonly flush: Http1Response['_flush']
  /** Number of held pieces that were there at the end of a turn, and would have been sent without the gate. */
  private uncorked = 0
  private isEndHidden = false

  constructor(
    protected readonly raw: Http1Response,
    keeper: GateKeeper,
  ) {
    super(raw, keeper)
    this.writeRaw = raw._writeRaw
    this.flush = raw._flush
  }

  override install(): void {
    super.install()
    const { raw } = this
    raw._writeRaw = gatedWriteRaw
    raw._flush = gatedFlush
  }

  get isGone(): boolean {
    return this.raw.destroyed
  }

  get progress(): Progress {
    const { raw } = this
    // Node takes the connection from a response that has finished, and destroys it.
    if (raw.socket === null && raw.finished && raw.outputSize === 0) return 'sent'
    if (raw.destroyed || raw.req.socket?.destroyed === true) return 'broken'
    return raw.finished && raw.writableLength === 0 ? 'sent' : 'running'
  }

  headers(): Record<string, unknown> {
    const { raw } = this
    return raw._header === null ? { ...raw.getHeaders() } : headersOfHead(raw._header)
  }

  onWriteRaw(data: string | Uint8Array, encoding: unknown, callback: unknown, size: number | undefined): boolean {
    const { raw } = this
    // Bytes before the head are an informational reply (100, 102, 103), which is not recorded.
    if (!raw._headerSent || this.passes()) return this.writeRaw.call(raw, data, encoding, callback, size)
    return this.isAnswered || this.hold({ data, encoding, callback })
  }

  override hideEnd(isHidden: boolean): void {
    const { raw } = this
    if (isHidden && this.isHeld && raw.finished) {
      raw.finished = false
      this.isEndHidden = true
    } else if (!isHidden && this.isEndHidden) {
      raw.finished = true
      this.isEndHidden = false
    }
  }

  protected override get isClientGone(): boolean {
    return this.raw.req.socket?.destroyed === true
  }

  protected override get destroyed(): unknown {
    return this.raw
  }

  onFlush(): void {
    if (!this.isHeld) this.flush.call(this.raw)
  }

  protected get statusCode(): number {
    return statusOfHead(this.raw._header ?? '')
  }

  protected release(): void {
    this.flush.call(this.raw)
  }

  /**
   * Uncorks the connection, or held bytes would stay in it. Node leaves it corked when it refuses the last chunk.
   * Otherwise Node relies on a mark that a stream with its own `uncork` (that of `injectWS`) never removes.
   */
  override onEnd(chunk: unknown, encoding: unknown, callback: unknown): unknown {
    try {
      return super.onEnd(chunk, encoding, callback)
    } finally {
      const state = this.raw.socket?._writableState
      if (this.isHeld && state !== undefined) state.corked = 0
    }
  }

  /** Drops bytes written in the turn of the destruction: they are still corked, so Node would not send them. */
  override onDestroy(error: Error | undefined): unknown {
    if (this.isHeld && this.isCorked) this.cutBack()
    return super.onDestroy(error)
  }

  protected get isCorked(): boolean {
    return (this.raw.socket?.writableCorked ?? 0) > 0
  }

  private uncork(): void {
    this.uncorked = this.raw.outputData.length
  }

  private cutBack(): void {
    const { raw } = this
    const dropped = raw.outputData.splice(this.uncorked)
    const bytes = dropped.reduce((sum, { data }) => sum + data.length, 0)
    raw.outputSize -= bytes
    raw._onPendingData(-bytes)
  }

  /** Keeps bytes in the way Node keeps those that cannot be sent yet. */
  private hold(output: Output): boolean {
    const { raw } = this
    if (this.isDestroyed || raw.socket?.destroyed === true) return false
    checkEncoding(output.encoding)
    raw.outputData.push(output)
    raw.outputSize += output.data.length
    raw._onPendingData(output.data.length)
    if (!this.isEnding && this.isCorked) nextTick(() => this.uncork())
    return raw.outputSize < raw.writableHighWaterMark
  }

  /** Resets the response to the state before its head was composed. */
  protected forget(): void {
    const { raw } = this
    // Move corked bytes to `outputData`, to the other held bytes.
    while (raw.writableCorked > 0) raw.uncork()
    const { outputData, outputSize, finished } = raw
    if (raw.writableNeedDrain) nextTick(() => raw.emit('drain'))
    raw._onPendingData(-outputSize)
    raw.outputData = []
    raw.outputSize = 0
    raw._header = null
    raw._headerSent = false
    raw._trailer = ''
    raw._contentLength = null
    raw._hasBody = raw.req.method !== 'HEAD'
    raw._last = false
    raw._removedConnection = false
    raw._removedContLen = false
    raw._removedTE = false
    raw.strictContentLength = false
    raw.chunkedEncoding = false
    raw.finished = false
    // Skip the last callback of an ended reply: it emits 'finish', which the answer will emit.
    const callbacks = outputData.map(({ callback }) => callback)
    for (const callback of finished ? callbacks.slice(0, -1) : callbacks) {
      if (typeof callback === 'function') nextTick(callback)
    }
  }

  protected send({ statusCode, reason, body }: Answer, headers: Record<string, unknown>): void {
    const { raw } = this
    for (const name of Object.keys(raw.getHeaders())) raw.removeHeader(name)
    // Handle errors of later writes: without a listener they would end the process.
    raw.on('error', () => undefined)
    // Call the class's own methods, so that no wrapper adds a header.
    const plain: object = Object.getPrototypeOf(raw)
    call(Reflect.get(plain, 'writeHead', raw), raw, [statusCode, reason, headers])
    call(Reflect.get(plain, 'end', raw), raw, [body])
  }
}

/** Throws for an unknown encoding at once, as the connection would. */
function checkEncoding(encoding: unknown): void {
  if (typeof encoding !== 'string' || encoding === '' || encoding === 'buffer' || Buffer.isEncoding(encoding)) return
  throw Object.assign(new TypeError(`Unknown encoding: ${encoding}`), { code: 'ERR_UNKNOWN_ENCODING' })
}

function gatedWriteRaw(
  this: Http1Response,
  data: string | Uint8Array,
  encoding: unknown,
  callback: unknown,
  size?: number,
): boolean {
  const gate = this[GATE]
  return gate instanceof Http1Gate && gate.onWriteRaw(data, encoding, callback, size)
}

function gatedFlush(this: Http1Response): void {
  const gate = this[GATE]
  if (gate instanceof Http1Gate) gate.onFlush()
}
