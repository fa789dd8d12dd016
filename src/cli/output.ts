import type { Writable } from 'node:stream'

/** The reader of standard output has closed it, as `head` does; this ends the program without an error. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

const BUFFER = 64 * 1024

/** Buffers standard output, and waits while its reader is slow. */
export class Output {
  private buffered = ''
  private failure: Error | undefined

  /** On a terminal each line is written at once; `beforeWrite` clears the progress line. */
  constructor(
    private readonly stream: Writable,
    private readonly isTerminal: boolean,
    private readonly beforeWrite: () => void,
  ) {
    stream.on('error', (error) => {
      this.failure = error
    })
  }

  async line(text: string): Promise<void> {
    this.buffered += `${text}\n`
    if (this.isTerminal || this.buffered.length >= BUFFER) await this.flush()
  }

  /** @throws {ReaderGone} when the reader has closed the output. */
  async flush(): Promise<void> {
    const text = this.buffered
    this.buffered = ''
    if (text === '') return
    this.beforeWrite()
    await new Promise<void>((resolve) => this.stream.write(text, () => resolve()))
    if (this.failure === undefined) return
    throw isGone(this.failure) ? new ReaderGone() : this.failure
  }
}

export function isGone(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE'
}
