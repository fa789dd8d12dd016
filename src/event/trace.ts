import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import type { SinkLogger } from '../logger.js'
import type { TraceFunction } from './request-functions.js'
import { isThenable } from './thenable.js'
import { isTraceparent } from './traceparent.js'

/** The least milliseconds between two log lines; the counter counts each failure. */
const LOG_INTERVAL = 60_000

/** Asks the application for the trace context of a request. Its function may throw, or return anything. */
export class TraceReader {
  errors = 0
  private loggedAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly trace: TraceFunction,
    private readonly log: SinkLogger,
    private readonly clock: Clock,
  ) {}

  /** Returns the trace context; undefined if there is none, or none that is valid. */
  of(request: FastifyRequest): string | undefined {
    try {
      const { trace } = this
      return checked(trace(request))
    } catch (error) {
      this.errors++
      this.warn(error)
      return undefined
    }
  }

  private warn(error: unknown): void {
    const now = this.clock.monotonic()
    if (now - this.loggedAt < LOG_INTERVAL) return
    this.loggedAt = now
    this.log.warn({ err: error }, 'the `trace` option of fastify-audit-log failed: the request is recorded without it')
  }
}

function checked(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && isTraceparent(value)) return value
  if (!isThenable(value)) throw new TypeError('it did not return a traceparent, such as 00-<32 hex>-<16 hex>-01')
  // Catch its rejection, which would end the process.
  Promise.resolve(value).then(undefined, () => undefined)
  throw new TypeError('it returned a promise; it must be synchronous')
}
