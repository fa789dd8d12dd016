import type { Clock } from '../clock.js'
import type { SinkLogger } from '../logger.js'

/** The least milliseconds between two log lines; the counter counts each error. */
const LOG_INTERVAL = 60_000

/** Counts values of the application that cannot be recorded, and logs them at most once a minute. */
export class Misuse {
  errors = 0
  private loggedAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly log: SinkLogger,
    private readonly clock: Clock,
  ) {}

  /** Counts one; `problem` says what is wrong and what is recorded instead. */
  note(problem: string, error?: unknown): void {
    this.errors++
    const now = this.clock.monotonic()
    if (now - this.loggedAt < LOG_INTERVAL) return
    this.loggedAt = now
    this.log.warn(error === undefined ? {} : { err: error }, `fastify-audit-log: ${problem}`)
  }
}
