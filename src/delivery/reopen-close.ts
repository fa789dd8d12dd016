import type { AuditSink } from '../sinks/sink.js'

/** Whoever asked for a reopening. */
interface Asker {
  resolve: () => void
  reject: (error: unknown) => void
}

/** A call on the sink that somebody waits for. */
export interface AskedCall {
  readonly run: () => Promise<void> | undefined
  readonly settled: (error: unknown) => void
  /** Nothing is called after it. */
  readonly isLast: boolean
}

/** Reopening and closing one sink: what was asked for, and who waits for it. */
export class ReopenClose {
  /** Who waits for a reopening that is due, or under way. */
  private reopenings: Asker[] = []
  /** The sink is to be closed; called when it is. */
  private closing: (() => void) | null = null
  private whenClosed: Promise<void> | null = null

  constructor(private readonly sink: AuditSink) {}

  /** A call was asked for and has not been made. */
  get isAsked(): boolean {
    return this.reopenings.length > 0 || this.closing !== null
  }

  /** Asks for a reopening: one call answers all who asked before it. */
  reopen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.reopenings.push({ resolve, reject })
    })
  }

  /** Asks for the sink to be closed: once, also when a server that has asked in time gives it up and asks again. */
  close(): Promise<void> {
    this.whenClosed ??= new Promise((resolve) => {
      this.closing = resolve
    })
    return this.whenClosed
  }

  /** The next call that was asked for, if there is one. */
  next(): AskedCall | null {
    const { sink, closing } = this
    const asked = this.reopenings.length
    if (asked > 0) return { run: () => sink.reopen?.(), settled: (error) => this.reopened(asked, error), isLast: false }
    if (closing === null) return null
    this.closing = null
    return { run: () => sink.close?.(), settled: closing, isLast: true }
  }

  /** Tells those who wait for a reopening that nobody waits for the sink any more. */
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
