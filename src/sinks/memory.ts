import type { AuditEvent } from '../event/event.js'
import { isSealedLine } from '../event/seal-line.js'
import { Outage } from './outage.js'
import type { AuditEntry, AuditSink } from './sink.js'

/** A sink that keeps everything in memory, and fails, recovers or hangs when it is told to. */
export interface MemorySink extends AuditSink {
  /** The records of requests, in order: each stage of each exchange. */
  readonly events: AuditEvent[]
  /** Every line in order, those about the trail's own life (start, gap, correction, stop) included. */
  readonly lines: string[]
  /** Everything that was stored, as the sink was given it. */
  readonly entries: readonly AuditEntry[]
  /** Forgets what was stored. */
  clear(): void
  /** Rejects every write from now on, with this error. */
  fail(error?: Error): void
  /** Leaves every write from now on without an answer. */
  hang(): void
  /** Stores again; what hung is stored now. */
  recover(): void
}

/**
 * A sink for unit tests: it stores in memory what the plugin would have written.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit, { memorySink } from 'fastify-audit-log'
 *
 * const sink = memorySink()
 * const app = Fastify()
 * await app.register(audit, { sinks: [{ name: 'test', sink }] })
 * app.get('/jobs', async () => [])
 * await app.inject('/jobs')
 * console.log(sink.events.map((event) => event.payload.stage)) // OperationReceived, OperationComplete
 * ```
 */
export function memorySink(): MemorySink {
  return new Memory()
}

class Memory implements MemorySink {
  private stored: AuditEntry[] = []
  private readonly outage = new Outage()

  get entries(): readonly AuditEntry[] {
    return this.stored
  }

  get lines(): string[] {
    return this.stored.map(({ line }) => line)
  }

  get events(): AuditEvent[] {
    const events: AuditEvent[] = []
    for (const { event } of this.stored) if (isOfRequest(event)) events.push(event)
    return events
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    if (this.outage.isOn) await this.outage.pass()
    this.stored.push(...batch)
  }

  async tail({ sealed } = { sealed: false }): Promise<string | undefined> {
    return this.stored.findLast(({ line }) => !sealed || isSealedLine(line))?.line
  }

  clear(): void {
    this.stored = []
  }

  fail(error: Error = new Error('the memory sink was told to fail')): void {
    this.outage.fail(error)
  }

  hang(): void {
    this.outage.hang()
  }

  recover(): void {
    this.outage.end()
  }
}

function isOfRequest(event: AuditEntry['event']): event is AuditEvent {
  return event.payload.type === 'audit'
}
