import type { SinkLogger } from '../logger.js'

/** Whether a sink works: the log is told when that changes, and not for each failure. */
export class Health {
  isFailing = false

  constructor(
    private readonly name: string,
    private readonly enforced: boolean,
    private readonly log: SinkLogger,
  ) {}

  fails(error: unknown): void {
    if (this.isFailing) return
    this.isFailing = true
    const effect = this.enforced
      ? 'requests are refused until it works again'
      : 'its entries are lost until it works again'
    this.log.error({ err: error, sink: this.name }, `audit sink "${this.name}" fails: ${effect}`)
  }

  works(counts: object): void {
    if (!this.isFailing) return
    this.isFailing = false
    this.log.info({ sink: this.name, ...counts }, `audit sink "${this.name}" works again`)
  }
}
