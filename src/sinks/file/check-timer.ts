import type { Clock } from '../../clock.js'

/** How often the path and its lock are looked at, in milliseconds. */
export const CHECK_INTERVAL = 1000
const NEVER = Number.NEGATIVE_INFINITY

/** Says when the path and its lock are to be looked at again: after a second, and after any pause. */
export class CheckTimer {
  private checked = NEVER
  private checkedTime = NEVER
  private begun = NEVER
  private begunTime = NEVER

  constructor(private readonly clock: Clock) {}

  /**
   * After a pause of the process the monotonic clock has moved on; after one of the machine, perhaps only the time of
   * day.
   */
  get isDue(): boolean {
    if (this.clock.monotonic() - this.checked >= CHECK_INTERVAL) return true
    return Math.abs(this.clock.now() - this.checkedTime) >= 2 * CHECK_INTERVAL
  }

  /** A check begins. It counts from here, so that a pause in the middle of it makes the next one due. */
  begin(): void {
    this.begun = this.clock.monotonic()
    this.begunTime = this.clock.now()
  }

  /** The check that has begun is done. */
  end(): void {
    this.checked = this.begun
    this.checkedTime = this.begunTime
  }

  /** Makes a check due. */
  reset(): void {
    this.checked = NEVER
  }
}
