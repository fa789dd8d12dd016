import type { ActionEvent } from '../event/action.js'
import type { AuditEvent, TrailEvent } from '../event/event.js'
import { isSealedLine } from '../event/seal-line.js'
import { isOfAction, isOfRequest, join, type MemoryExchange } from './joined.js'
import { Outage } from './outage.js'
import type { AuditEntry, AuditSink } from './sink.js'

/** A sink that keeps everything in memory, and fails, recovers or hangs when it is told to. */
export interface MemorySink extends AuditSink {
  /** The records of requests, in order: each stage of each exchange. */
  readonly events: AuditEvent[]
  /** The same records joined: those of one request, its correction and the end of its reply, in the order of receipt. */
  readonly exchanges: MemoryExchange[]
  /** The records of actions beside requests, in order: each event, and each stage of each work. */
  readonly actions: ActionEvent[]
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
 * console.log(sink.exchanges.map(({ complete }) => complete?.payload.response?.status_code)) // 200
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
    return this.all().filter(isOfRequest)
  }

  get exchanges(): MemoryExchange[] {
    return join(this.all(), isOfRequest)
  }

  get actions(): ActionEvent[] {
    return this.all().filter(isOfAction)
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

  private all(): TrailEvent[] {
    return this.stored.map(({ event }) => event)
  }
}
