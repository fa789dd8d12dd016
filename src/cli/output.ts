import type { Writable } from 'node:stream'

/** Who reads what is printed has gone: there is nothing to print any more, and nothing is wrong. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

const BUFFER = 64 * 1024

/** Standard output: many lines at once, and never more than it takes. */
export class Output {
  private buffered = ''
  private failure: Error | undefined

  /** On a terminal each line is shown at once; `beforeWrite` clears what else stands there. */
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

  /** @throws {ReaderGone} when nobody reads any more. */
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
