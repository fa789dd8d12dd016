import type { Clock } from '../clock.js'
import type { Delivery, SinkStats } from '../delivery/delivery.js'
import { Dispatcher } from '../delivery/dispatcher.js'
import { Capture } from '../event/content/capture.js'
import { Envelope } from '../event/envelope.js'
import { RequestWriter } from '../event/formats/json-request.js'
import { type IdentityCounts, IdentityResolver } from '../event/identity.js'
import { Misuse } from '../event/misuse.js'
import { TraceReader } from '../event/trace.js'
import { Vocabulary } from '../event/vocabulary/vocabulary.js'
import type { SinkLogger } from '../logger.js'
import type { ResolvedOptions } from '../options/parse.js'
import type { RouterFolding } from '../policy/path.js'
import { RecordingPolicy } from '../policy/recording-policy.js'
import { Redactor } from '../redact/redactor.js'
import { Actions } from './actions.js'
import { Connections, connectionBounds } from './connections.js'
import { ExchangeCounter, type ExchangeCounts } from './counts.js'
import { laneFor } from './lanes.js'
import { OpenExchanges } from './open-exchanges.js'
import { RunningReplies } from './running-replies.js'
import { startDetails } from './start-details.js'
import { Sweeper } from './sweeper.js'

/** Counts of the plugin since the boot. */
export interface AuditStats extends ExchangeCounts, IdentityCounts {
  healthy: boolean
  /** Calls of `trace` that threw, or returned something other than a trace context. */
  traceErrors: number
  /** Exchanges whose Complete is not decided yet. */
  open: number
  /** Replies that go on after their Complete. */
  running: number
  /** Requests that were never routed, by Node's error code or by the status of the answer, as `HTTP_400`. */
  unseen: Record<string, number>
  /** Values of the application that could not be recorded, such as a `targets` function that threw. */
  actionErrors: number
  /** Actions, targets and annotations that were recorded and are not as the option `actions` says. */
  vocabularyErrors: number
  /** Counts of each sink, by its name. */
  sinks: Record<string, SinkStats>
}

/** Shares of `closeTimeout`: first open exchanges, then their sinks' answers; the rest is for storing entries. */
const CLOSE_SHARE = 0.75
const ANSWER_SHARE = 0.1

/** Runs the sinks, exchanges and counts of one registered plugin, from opening to closing. */
export class AuditRuntime {
  readonly envelope: Envelope
  readonly requests: RequestWriter
  readonly policy: RecordingPolicy
  readonly dispatcher: Dispatcher
  readonly who: IdentityResolver
  readonly redactor: Redactor
  readonly capture: Capture
  readonly open = new OpenExchanges()
  readonly running = new RunningReplies()
  readonly connections: Connections
  readonly counts = new ExchangeCounter()
  readonly auditIdHeader: string | false
  readonly misuse: Misuse
  /** Null without the option `actions`. */
  readonly vocabulary: Vocabulary | null
  /** Records what is done beside requests. */
  readonly actions: Actions
  private readonly sweeper: Sweeper
  /** The lanes are opened, or being opened, and are not closed. */
  private hasOpened = false
  private isTaking = false

  constructor(
    private readonly options: ResolvedOptions,
    folding: RouterFolding,
    readonly log: SinkLogger,
    private readonly clock: Clock,
  ) {
    const envelope = new Envelope(clock)
    this.envelope = envelope
    this.auditIdHeader = options.auditIdHeader
    this.redactor = new Redactor(options.redact)
    this.capture = new Capture(options.capture)
    this.policy = new RecordingPolicy(options, folding)
    this.who = new IdentityResolver({
      identity: options.identity,
      namespace: options.namespace,
      counts: noIdentityCounts(),
      log,
      clock,
      redactor: this.redactor,
    })
    this.requests = new RequestWriter(options.trace === undefined ? null : new TraceReader(options.trace, log, clock))
    this.dispatcher = new Dispatcher(options.sinks.map((sink) => laneFor(sink, { envelope, log, clock })))
    const enforced = options.sinks.filter(({ deliveryGuarantee }) => deliveryGuarantee === 'enforced')
    this.connections = new Connections(connectionBounds(enforced))
    this.sweeper = new Sweeper(this.open, this.running, options.abortTimeout, clock)
    this.misuse = new Misuse(log, clock)
    this.vocabulary = options.actions === undefined ? null : new Vocabulary(options.actions, this.redactor, log)
    this.actions = new Actions(this)
  }

  /**
   * True from the start entry until the server no longer waits for what is open: a handler that ends while the server
   * closes still records.
   */
  get isOpened(): boolean {
    return this.isTaking
  }

  stats(unseen: Record<string, number>): AuditStats {
    const sinks = this.lanes.map((lane) => [lane.name, lane.stats()] as const)
    return {
      healthy: this.dispatcher.healthy,
      open: this.open.count,
      running: this.running.count,
      ...this.counts.all(),
      ...this.who.counts,
      traceErrors: this.requests.trace?.errors ?? 0,
      unseen: { ...unseen },
      actionErrors: this.misuse.errors,
      vocabularyErrors: this.vocabulary?.errors ?? 0,
      sinks: Object.fromEntries(sinks),
    }
  }

  /** Opens all sinks at once. If one of them must stop the boot, releases the open ones first. */
  async start(exemptedRoutes: readonly string[]): Promise<void> {
    const { openTimeout } = this.options
    this.hasOpened = true
    const opened = await Promise.allSettled(this.lanes.map((lane) => lane.open(openTimeout)))
    const failed = opened.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      await this.release()
      throw failed.reason
    }
    const details = startDetails(this.options, this.envelope.instance, exemptedRoutes)
    this.dispatcher.begin(this.envelope.lifecycle('start', details))
    this.isTaking = true
    this.sweeper.start()
  }

  /** Releases the sinks that a failed boot has opened. */
  async release(): Promise<void> {
    if (!this.hasOpened) return
    this.hasOpened = false
    this.isTaking = false
    this.sweeper.stop()
    await Promise.all(this.lanes.map((lane) => lane.release(this.options.closeTimeout)))
  }

  async close(): Promise<void> {
    if (!this.hasOpened) return
    this.hasOpened = false
    const { closeTimeout } = this.options
    const end = this.clock.monotonic() + closeTimeout
    this.sweeper.startClosing()
    await this.open.whenEmpty(closeTimeout * CLOSE_SHARE)
    this.sweeper.stop()
    const stillOpen = this.open.count
    this.isTaking = false
    this.open.cutOff()
    await this.giveUpWaiting(closeTimeout * ANSWER_SHARE)
    this.running.close()
    const budget = Math.max(0, end - this.clock.monotonic())
    await Promise.all(this.lanes.map((lane) => this.closeLane(lane, budget, stillOpen)))
  }

  async flush(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.flush()))
  }

  async reopen(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.reopen()))
  }

  private get lanes(): readonly Delivery[] {
    return this.dispatcher.lanes
  }

  /** Answers exchanges that wait for a hung sink while the trails are still open, since they must record that answer. */
  private async giveUpWaiting(timeout: number): Promise<void> {
    if (this.open.count === 0) return
    await this.open.whenEmpty(timeout)
    for (const lane of this.lanes) lane.giveUpWaiting(timeout)
  }

  private async closeLane(lane: Delivery, budget: number, open: number): Promise<void> {
    await lane.close(budget, () => {
      const { stored, lost, inDoubt } = lane.stats()
      return { stored, lost, in_doubt: inDoubt, open }
    })
    const stats = lane.stats()
    if (stats.lost + stats.inDoubt === 0) return
    this.log.error({ sink: lane.name, stats }, `audit sink "${lane.name}" closed with entries not stored`)
  }
}

/** Returns zeroed counts, which `app.audit` also reports if the plugin is disabled. */
export function noStats(): AuditStats {
  const counts = new ExchangeCounter().all()
  return {
    healthy: true,
    open: 0,
    running: 0,
    ...counts,
    ...noIdentityCounts(),
    traceErrors: 0,
    unseen: {},
    actionErrors: 0,
    vocabularyErrors: 0,
    sinks: {},
  }
}

function noIdentityCounts(): IdentityCounts {
  return { identityErrors: 0, namespaceErrors: 0, authChanged: 0 }
}
