import type { SinkLogger } from '../../logger.js'

/** Something that can go wrong again and again: logged when it starts and when it ends, not each time. */
export class FailureLog {
  private isOn = false

  constructor(
    private readonly log: SinkLogger,
    private readonly path: string,
    /** What is going wrong, for people. */
    private readonly what: string,
  ) {}

  /** Runs `call`; its failure is logged, not thrown. False when it failed. */
  async guard(call: () => Promise<void>): Promise<boolean> {
    try {
      await call()
    } catch (error) {
      this.starts(error)
      return false
    }
    this.ends()
    return true
  }

  starts(error: unknown): void {
    if (!this.isOn) this.log.error({ err: error, path: this.path }, this.what)
    this.isOn = true
  }

  ends(): void {
    if (this.isOn) this.log.info({ path: this.path }, `no longer: ${this.what}`)
    this.isOn = false
  }
}

/** Runs a clean-up whose failure must not hide what it cleans up after; it is logged. */
export async function cleanUp(log: SinkLogger, path: string, call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (error) {
    log.warn({ err: error, path }, 'cleaning up beside the audit file failed')
  }
}
