import { setTimeout } from '../../clock.js'
import { BatchError } from '../batch-error.js'
import { Outage } from '../outage.js'
import type { AuditEntry, AuditSink, SinkContext, TailOptions } from '../sink.js'

/** A sink that wraps another one and has faults on demand. */
export interface FaultySink extends AuditSink {
  /** Rejects every later call, and every hanging one, with this error. None reaches the wrapped sink. */
  fail(error?: Error): void
  /** Leaves every call from now on without an answer. */
  hang(): void
  /** Delays every write from now on by this many milliseconds. */
  slow(milliseconds: number): void
  /**
   * Refuses, with a `BatchError`, every entry for which `isPoison` is true, from now on; the others of a batch are
   * passed on.
   */
  poison(isPoison: (entry: AuditEntry) => boolean): void
  /** Ends every fault. Calls that hang are passed on now. */
  recover(): void
}

/**
 * Puts faults in front of a sink, to test how an application, or an alarm, reacts. `open`, `write`, `tail`, `idle` and
 * `reopen` can fail; `close` always reaches the wrapped sink.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit from 'fastify-audit-log'
 * import { faultySink, memorySink } from 'fastify-audit-log/testing'
 *
 * const sink = faultySink(memorySink())
 * const app = Fastify()
 * await app.register(audit, { sinks: [{ name: 'test', sink, timeout: '100ms' }] })
 * app.get('/jobs', async () => [])
 *
 * sink.poison(({ line }) => line.includes('/jobs?odd'))
 * console.log((await app.inject('/jobs?odd')).statusCode) // 503
 * console.log((await app.inject('/jobs')).statusCode) // 200
 * ```
 */
export function faultySink(sink: AuditSink): FaultySink {
  return new Faulty(sink)
}

class Faulty implements FaultySink {
  private readonly outage = new Outage()
  private delay = 0
  private isPoison: (entry: AuditEntry) => boolean = () => false

  /** Exists only if the wrapped sink has one. */
  readonly tail?: (options?: TailOptions) => Promise<string | undefined>

  constructor(private readonly sink: AuditSink) {
    if (sink.tail === undefined) return
    this.tail = async (options) => {
      await this.outage.pass()
      return sink.tail?.(options)
    }
  }

  fail(error: Error = new Error('the faulty sink was told to fail')): void {
    this.outage.fail(error)
  }

  hang(): void {
    this.outage.hang()
  }

  slow(milliseconds: number): void {
    this.delay = milliseconds
  }

  poison(isPoison: (entry: AuditEntry) => boolean): void {
    this.isPoison = isPoison
  }

  recover(): void {
    this.delay = 0
    this.isPoison = () => false
    this.outage.end()
  }

  async open(context: SinkContext): Promise<void> {
    await this.outage.pass()
    await this.sink.open?.(context)
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    if (this.delay > 0) await new Promise((resolve) => setTimeout(resolve, this.delay))
    await this.outage.pass()
    const failed = batch.filter((entry) => this.isPoison(entry))
    if (failed.length === 0) {
      await this.sink.write(batch)
      return
    }
    const refused = new Set(failed)
    const rest = batch.filter((entry) => !refused.has(entry))
    if (rest.length === 0) throw new BatchError({ failed })
    try {
      await this.sink.write(rest)
    } catch (error) {
      if (!(error instanceof BatchError)) throw error
      throw new BatchError({ failed: [...failed, ...error.failed], inDoubt: error.inDoubt, cause: error.cause })
    }
    throw new BatchError({ failed })
  }

  async idle(): Promise<void> {
    await this.outage.pass()
    await this.sink.idle?.()
  }

  async reopen(): Promise<void> {
    await this.outage.pass()
    await this.sink.reopen?.()
  }

  async close(): Promise<void> {
    await this.sink.close?.()
  }
}
