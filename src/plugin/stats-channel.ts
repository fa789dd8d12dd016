import { channel } from 'node:diagnostics_channel'
import { clearInterval, setInterval } from '../clock.js'
import type { AuditStats } from '../runtime/runtime.js'

/** How often the counters are published, in milliseconds. */
const INTERVAL = 1000

const CHANNEL = channel('fastify-audit-log:stats')

/** What subscribers of the channel are given about every second, and once more when the server has closed. */
export interface StatsMessage {
  /** The `instance` of the trail's entries: a process may have several servers. */
  readonly instance: string
  readonly stats: AuditStats
}

/** Publishes the counters to whoever watches, and costs nothing while nobody does. */
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
