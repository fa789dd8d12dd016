/** What a stream hands to the system by, in Node's published contract for those who implement one. */
export interface HoldableWritable {
  readonly destroyed: boolean
  _write(chunk: unknown, encoding: BufferEncoding, callback: Done): void
  _writev?: ((chunks: Array<{ chunk: unknown; encoding: BufferEncoding }>, callback: Done) => void) | null
  _final(callback: Done): void
}

type Done = (error?: Error | null) => void

/** Whether what is about to be written goes out, waits, or is thrown away. */
export type Verdict = 'pass' | 'hold' | 'drop'

/**
 * Keeps back what a stream writes next. A stream hands over one write at a time, and its end after the last one, so
 * there is one at most to keep; whoever writes to it sees a stream whose receiver is slow.
 */
export class WritableHold {
  private readonly write: HoldableWritable['_write']
  private held: { readonly run: () => void; readonly skip: () => void } | null = null

  /** `decide` is asked for each write, with its first chunk; for the stream's end with null. */
  constructor(
    private readonly stream: HoldableWritable,
    private readonly decide: (chunk: unknown) => Verdict,
  ) {
    this.write = stream._write
  }

  /** Puts itself in front of the stream's methods. */
  install(): void {
    const { stream, write } = this
    const { _writev, _final } = stream
    stream._write = (chunk, encoding, done) => this.admit(chunk, () => write.call(stream, chunk, encoding, done), done)
    if (typeof _writev === 'function') {
      stream._writev = (chunks, done) => this.admit(chunks[0]?.chunk, () => _writev.call(stream, chunks, done), done)
    }
    // The end is never thrown away: the stream would not be closed.
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

  /** Writes a text before whatever is held. */
  bypass(text: string, done: Done = () => undefined): void {
    this.write.call(this.stream, text, 'utf8', done)
  }

  /** Writes what is held. */
  release(): void {
    const { held } = this
    this.held = null
    held?.run()
  }

  /** Throws away what is held, but for the stream's end; the stream takes it for written. */
  discard(): void {
    const { held } = this
    this.held = null
    held?.skip()
  }
}
