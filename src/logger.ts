/** The logger a sink may use: Fastify's, or anything of its shape. */
export interface SinkLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** Logs a failure that can repeat when it starts and when it ends, not each time. */
export class FailureLog {
  private isOn = false

  /** `failing` is logged when the failure starts, `working` when it ends, each with `details`. */
  constructor(
    private readonly log: SinkLogger,
    private readonly details: object,
    private readonly failing: string,
    private readonly working = `no longer: ${failing}`,
  ) {}

  get isFailing(): boolean {
    return this.isOn
  }

  /** Runs `call`; its failure is logged, not thrown. False when it failed. */
  async guard(call: () => Promise<void>): Promise<boolean> {
    try {
      await call()
    } catch (error) {
      this.fails(error)
      return false
    }
    this.works()
    return true
  }

  fails(error: unknown): void {
    if (this.isOn) return
    this.isOn = true
    this.log.error({ err: error, ...this.details }, this.failing)
  }

  /** `more` is logged as well, such as what the failure has cost. */
  works(more?: object): void {
    if (!this.isOn) return
    this.isOn = false
    this.log.info({ ...this.details, ...more }, this.working)
  }
}
