import type { AuditSink } from '../sinks/sink.js'

/** A caller of `reopen`. */
interface Asker {
  resolve: () => void
  reject: (error: unknown) => void
}

/** A call on the sink that a caller waits for. */
export interface AskedCall {
  readonly run: () => Promise<void> | undefined
  readonly settled: (error: unknown) => void
  /** Whether no call follows it. */
  readonly isLast: boolean
}

/** Keeps the requests to reopen and to close one sink, and those who wait for them. */
export class ReopenClose {
  /** The callers that wait for a reopening that is due or under way. */
  private reopenings: Asker[] = []
  /** Called when the sink is closed; null unless it is to be closed. */
  private closing: (() => void) | null = null
  private whenClosed: Promise<void> | null = null

  constructor(private readonly sink: AuditSink) {}

  /** Whether a call was asked for and has not been made. */
  get isAsked(): boolean {
    return this.reopenings.length > 0 || this.closing !== null
  }

  /** Asks for a reopening. One call answers all callers that asked before it. */
  reopen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.reopenings.push({ resolve, reject })
    })
  }

  /** Asks for the sink to be closed. It is closed once, however often this is called. */
  close(): Promise<void> {
    this.whenClosed ??= new Promise((resolve) => {
      this.closing = resolve
    })
    return this.whenClosed
  }

  /** Returns the next call that was asked for, if there is one. */
  next(): AskedCall | null {
    const { sink, closing } = this
    const asked = this.reopenings.length
    if (asked > 0) return { run: () => sink.reopen?.(), settled: (error) => this.reopened(asked, error), isLast: false }
    if (closing === null) return null
    this.closing = null
    return { run: () => sink.close?.(), settled: closing, isLast: true }
  }

  /** Rejects all waiting reopenings. */
  giveUp(error: Error): void {
    for (const { reject } of this.reopenings.splice(0)) reject(error)
  }

  private reopened(asked: number, error: unknown): void {
    for (const { resolve, reject } of this.reopenings.splice(0, asked)) {
      if (error === undefined) resolve()
      else reject(error)
    }
  }
}
