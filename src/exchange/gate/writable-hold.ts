/** Methods with which a stream hands data to the system, as in Node's published contract for stream implementers. */
export interface HoldableWritable {
  readonly destroyed: boolean
  _write(chunk: unknown, encoding: BufferEncoding, callback: Done): void
  _writev?: ((chunks: Array<{ chunk: unknown; encoding: BufferEncoding }>, callback: Done) => void) | null
  _final(callback: Done): void
}

type Done = (error?: Error | null) => void

/** Decision about the next write: send it, keep it, or discard it. */
export type Verdict = 'pass' | 'hold' | 'drop'

/**
 * Holds back a stream's next write. A stream hands over one write at a time, and its end after the last one, so there is
 * at most one to hold; its writers see a stream with a slow receiver.
 */
export class WritableHold {
  private readonly write: HoldableWritable['_write']
  private held: { readonly run: () => void; readonly skip: () => void } | null = null

  /** Calls `decide` for each write, with its first chunk, and for the stream's end, with null. */
  constructor(
    private readonly stream: HoldableWritable,
    private readonly decide: (chunk: unknown) => Verdict,
  ) {
    this.write = stream._write
  }

  /** Shadows the stream's methods. */
  install(): void {
    const { stream, write } = this
    const { _writev, _final } = stream
    stream._write = (chunk, encoding, done) => this.admit(chunk, () => write.call(stream, chunk, encoding, done), done)
    if (typeof _writev === 'function') {
      stream._writev = (chunks, done) => this.admit(chunks[0]?.chunk, () => _writev.call(stream, chunks, done), done)
    }
    // Never discard the end: the stream would stay open.
    stream._final = (done) => {
      const end = (): void => _final.call(stream, done)
      this.admit(null, end, end)
    }
  }

  private admit(chunk: unknown, run: () => void, skip: () => void): void {
    const verdict = this.decide(chunk)
    if (verdict === 'pass') run()
    else if (verdict === 'drop') skip()
    else this.held = { run, skip }
  }

  /** Writes a text before the held write. */
  bypass(text: string, done: Done = () => undefined): void {
    this.write.call(this.stream, text, 'utf8', done)
  }

  /** Sends the held write. */
  release(): void {
    const { held } = this
    this.held = null
    held?.run()
  }

  /** Discards the held write, which the stream regards as written; a held end still runs. */
  discard(): void {
    const { held } = this
    this.held = null
    held?.skip()
  }
}
