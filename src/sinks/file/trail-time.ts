import type { Clock } from '../../clock.js'

/**
 * Time after the start during which the times on the disk count more than a clock that is ahead of them, in
 * milliseconds.
 */
const SETTLING = 3_600_000

/**
 * Bounds the true time, for a process whose clock may be set while it runs, or be wrong when it starts. The bounds come
 * from the monotonic clock, and from when the audit file was last written to.
 */
export class TrailTime {
  private readonly startedAt: number
  private started: number
  /** Last write before the start that the clock at the start does not contradict. */
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
   * Notices that a clock which was ahead at the start has been set right. Believed only within the first hour, and only
   * if the new time is not before the last write; otherwise the setting may be the mistake.
   */
  observe(): void {
    const { elapsed } = this
    const started = this.clock.now() - elapsed
    if (elapsed >= SETTLING || started >= this.started || started < this.lastWritten) return
    if (this.newest === this.started) this.newest = started
    this.started = started
  }

  /**
   * Earliest possible time. Ignores a clock that was set forward since the start. A clock that is ahead at the start
   * looks like a long downtime: it is believed after an hour, because wrong clocks are mostly set right within minutes.
   */
  earliest(): number {
    const { elapsed } = this
    return Math.min(this.clock.now(), (elapsed < SETTLING ? this.lastWritten : this.started) + elapsed)
  }

  /** Latest plausible time. Ignores a clock that was set back, before the start or since. */
  latest(): number {
    return Math.max(this.clock.now(), this.newest + this.elapsed)
  }

  private get elapsed(): number {
    return this.clock.monotonic() - this.startedAt
  }
}
