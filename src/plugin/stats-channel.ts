import { channel } from 'node:diagnostics_channel'
import { clearInterval, setInterval } from '../clock.js'
import type { AuditStats } from '../runtime/runtime.js'

/** Interval between publications, in milliseconds. */
const INTERVAL = 1000

const CHANNEL = channel('fastify-audit-log:stats')

/** Message to the channel's subscribers, sent about every second and once after the server has closed. */
export interface StatsMessage {
  /** `instance` of the trail's entries, because a process may have several servers. */
  readonly instance: string
  readonly stats: AuditStats
}

/** Publishes the counters to the channel's subscribers; does nothing while there are none. */
export class StatsChannel {
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly instance: string,
    private readonly stats: () => AuditStats,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.publish(), INTERVAL).unref()
  }

  stop(): void {
    if (this.timer === undefined) return
    clearInterval(this.timer)
    this.timer = undefined
    this.publish()
  }

  private publish(): void {
    if (CHANNEL.hasSubscribers) CHANNEL.publish({ instance: this.instance, stats: this.stats() } satisfies StatsMessage)
  }
}
