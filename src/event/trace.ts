import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import type { SinkLogger } from '../logger.js'
import { Misuse } from './misuse.js'
import type { TraceFunction } from './request-functions.js'
import { isThenable } from './thenable.js'
import { isTraceparent } from './traceparent.js'

/** Asks the application for the trace context of a request. Its function may throw, or return anything. */
export class TraceReader {
  private readonly misuse: Misuse

  constructor(
    private readonly trace: TraceFunction,
    log: SinkLogger,
    clock: Clock,
  ) {
    this.misuse = new Misuse(log, clock)
  }

  /** How often the function failed. */
  get errors(): number {
    return this.misuse.errors
  }

  /** Returns the trace context; undefined if there is none, or none that is valid. */
  of(request: FastifyRequest): string | undefined {
    try {
      const { trace } = this
      return checked(trace(request))
    } catch (error) {
      this.misuse.note('the `trace` option failed: the request is recorded without it', error)
      return undefined
    }
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
