import type { Clock } from '../../clock.js'

/** How long a process trusts the times on the disk more than a clock that is far ahead of them, in milliseconds. */
const SETTLING = 3_600_000

/**
 * What time it is at the earliest and at the latest, for a process whose clock may be set while it runs, or be wrong when
 * it starts. The monotonic clock counts from the start; the audit file says when it was last written to.
 */
export class TrailTime {
  private readonly startedAt: number
  private started: number
  /** The last sign of life before the start that the clock at the start does not contradict. */
  private lastWritten: number
  private newest: number

  constructor(private readonly clock: Clock) {
    this.startedAt = clock.monotonic()
    this.started = clock.now()
    this.lastWritten = this.started
    this.newest = this.started
  }

  /** Takes the times that the audit file had when the process started. */
  learn(times: readonly number[]): void {
    const past = times.filter((time) => time <= this.started)
    if (past.length > 0) this.lastWritten = Math.max(...past)
    this.newest = Math.max(this.started, ...times)
  }

  /**
   * Notices that a clock which was ahead at the start has been set right: soon after the start, and not to before the last
   * sign of life. Later it may as well be the setting that is wrong.
   */
  observe(): void {
    const { elapsed } = this
    const started = this.clock.now() - elapsed
    if (elapsed >= SETTLING || started >= this.started || started < this.lastWritten) return
    if (this.newest === this.started) this.newest = started
    this.started = started
  }

  /**
   * A clock that was set forward since the start counts for nothing. One that was ahead at the start is set right within
   * minutes mostly: it counts after an hour, and a server that was off for long deletes that much later.
   */
  earliest(): number {
    const { elapsed } = this
    return Math.min(this.clock.now(), (elapsed < SETTLING ? this.lastWritten : this.started) + elapsed)
  }

  /** A clock that was set back, before the start or since, counts for nothing. */
  latest(): number {
    return Math.max(this.clock.now(), this.newest + this.elapsed)
  }

  private get elapsed(): number {
    return this.clock.monotonic() - this.startedAt
  }
}
