import { dirname } from 'node:path'
import type { Clock } from '../../clock.js'
import { FailureLog, type SinkLogger } from '../../logger.js'
import type { FileSystem } from './fs.js'

/** How often the disk is looked at, in milliseconds. */
const INTERVAL = 60_000

const GIB = 2 ** 30
const LOW_SHARE = 0.1

/** Watches the file's disk, and warns before it is full. */
export class DiskSpace {
  /** Whether the disk is known to be of this machine. */
  isLocal = false
  private lookedAt = Number.NEGATIVE_INFINITY
  private isLow = false
  private readonly looking: FailureLog

  constructor(
    private readonly path: string,
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly log: SinkLogger,
  ) {
    this.looking = new FailureLog(
      log,
      { path },
      'the free space of the audit file cannot be told; nothing else is affected',
    )
  }

  /** Looks at the file's disk, if it is time. */
  async check(): Promise<void> {
    const now = this.clock.monotonic()
    if (now - this.lookedAt < INTERVAL) return
    this.lookedAt = now
    await this.looking.guard(() => this.look())
  }

  private async look(): Promise<void> {
    const { free, total, isLocal } = await this.fs.space(dirname(this.path))
    this.isLocal = isLocal === true
    const details = { path: this.path, free, total }
    const isLow = free < GIB || free < total * LOW_SHARE
    if (isLow && !this.isLow) {
      this.log.warn(details, 'the disk of the audit file has less than 10 % or 1 GiB free; a full one stores nothing')
    }
    if (!isLow && this.isLow) this.log.info(details, 'the disk of the audit file has room again')
    this.isLow = isLow
  }
}
