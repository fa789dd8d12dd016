import { AuditSinkUnavailable } from '../../../src/errors.js'
import type { AuditEntry, AuditSink } from '../../../src/index.js'

/** A sink without mistakes; each test spoils it in one place. */
export class GoodSink implements AuditSink {
  stored: string[] = []
  isOut = false

  async open(): Promise<void> {
    if (this.isOut) throw new AuditSinkUnavailable('out')
  }
  async write(batch: readonly AuditEntry[]): Promise<void> {
    if (this.isOut) throw new Error('out')
    for (const { line } of batch) this.stored.push(line)
  }
  async idle(): Promise<void> {
    if (this.isOut) throw new Error('out')
  }
  async tail(): Promise<string | undefined> {
    return this.stored.at(-1)
  }
  async reopen(): Promise<void> {
    await this.idle()
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

export type Sink = GoodSink & AuditSink
/** Takes the place of a sink's method, and may call it. */
export type Spoil = (sink: Sink) => Partial<AuditSink>

/** Sinks that fail a check, by its name: their mistakes, and the check's message. */
export type Broken = Record<string, Array<{ name: string; spoil: Spoil; says: RegExp }>>

export const hang = () => new Promise<void>(() => undefined)
