import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import type { FastifyRequest } from 'fastify'
import { type Clock, clearInterval, setInterval } from '../clock.js'
import { Delivery, type SinkStats } from '../delivery/delivery.js'
import { Dispatcher, type SinkLane } from '../delivery/dispatcher.js'
import { Seal } from '../delivery/seal/seal.js'
import { sealable } from '../delivery/seal/sealable.js'
import { Capture } from '../event/content/capture.js'
import { customFormat, type Format, jsonFormat } from '../event/draft.js'
import { Envelope } from '../event/envelope.js'
import type { JsonValue, LifecycleDetails } from '../event/event.js'
import { RequestWriter } from '../event/formats/json-request.js'
import { rancherLine } from '../event/formats/rancher.js'
import { type IdentityCounts, IdentityResolver } from '../event/identity.js'
import type { Level } from '../event/level.js'
import type { SinkLogger } from '../logger.js'
import type { ResolvedOptions, ResolvedSink } from '../options/parse.js'
import { compileFilters } from '../policy/filter.js'
import type { RouterFolding } from '../policy/path.js'
import type { RouteAudit } from '../policy/route-level.js'
import { levelOf } from '../policy/route-level.js'
import { compileRules, type Rules } from '../policy/rules.js'
import { Redactor } from '../redact/redactor.js'
import { type Marks, marksOf } from '../redact/schema-marks.js'
import { fileSink } from '../sinks/file/file-sink.js'
import type { AuditSink } from '../sinks/sink.js'
import { stdoutSink } from '../sinks/stream.js'
import type { ExchangeCounts } from './counts.js'
import { OpenExchanges } from './open-exchanges.js'

/** What the plugin counted since the boot. */
export interface AuditStats extends ExchangeCounts, IdentityCounts {
  healthy: boolean
  /** Exchanges whose Complete is not decided yet. */
  open: number
  /** What never became a request, by Node's error code or, as `HTTP_400`, by the status that Node answered with. */
  unseen: Record<string, number>
  /** By the sink's name. */
  sinks: Record<string, SinkStats>
}

const UNKNOWN_MARKS_ADVICE =
  "`getSchema` failed for a schema that this route's schema refers to, so nobody knows which fields are marked as secret " +
  'there: the bodies of this route are left out of the audit trail. Mend the `getSchema` of the schema controller.'

const SWEEP_INTERVAL = 1000
/** A closing server looks more often, and waits less for the handlers of clients that are gone: its own are to end. */
const CLOSING_SWEEP_INTERVAL = 10
const CLOSING_ABORT_TIMEOUT = 250
/** The shares of `closeTimeout` that open exchanges get, and then their sinks; the rest is for storing what they gave. */
const CLOSE_SHARE = 0.75
const ANSWER_SHARE = 0.1

/** Everything that one registered plugin runs: its sinks, its exchanges, its counts, from opening to closing. */
export class AuditRuntime {
  readonly envelope: Envelope
  readonly requests = new RequestWriter()
  readonly dispatcher: Dispatcher
  readonly who: IdentityResolver
  readonly redactor: Redactor
  readonly capture: Capture
  readonly rules: Rules
  readonly open = new OpenExchanges()
  readonly auditIdHeader: string | false
  /** Routes that are known not to be recorded: by the start entry, or by a line in the server's log. */
  readonly exemptedUrls = new Set<string>()
  readonly counts: ExchangeCounts & IdentityCounts = {
    audited: 0,
    excluded: 0,
    refused: 0,
    withheld: 0,
    corrected: 0,
    aborted: 0,
    authChanged: 0,
    annotationsTooLate: 0,
    repliedBeforePlugin: 0,
    identityErrors: 0,
    namespaceErrors: 0,
  }
  /** Fields that are marked as secret, by the schema of a route. */
  private readonly marks = new WeakMap<object, Marks>()
  /** Routes whose marks cannot be read, which the log has said. */
  private readonly unreadableRoutes = new Set<string>()
  private sweeper: NodeJS.Timeout | undefined
  private isOpened = false

  constructor(
    private readonly options: ResolvedOptions,
    folding: RouterFolding,
    readonly log: SinkLogger,
    private readonly clock: Clock,
  ) {
    this.envelope = new Envelope(clock)
    this.auditIdHeader = options.auditIdHeader
    this.redactor = new Redactor(options.redact)
    this.capture = new Capture(options.capture)
    this.rules = compileRules(options.rules, options.level, folding)
    this.who = new IdentityResolver(options.identity, options.namespace, this.counts, log, clock, this.redactor)
    const lanes: SinkLane[] = options.sinks.map((sink) => ({
      delivery: this.delivery(sink),
      filters: compileFilters(sink.filters, folding),
    }))
    this.dispatcher = new Dispatcher(compileFilters(options.filters, folding), lanes)
  }

  /** How much of a request is recorded: what its route says, the first rule that matches, or the server's level. */
  level(
    operation: string,
    url: string,
    route: string | undefined,
    namespace: string | undefined,
    audit: RouteAudit | undefined,
  ): Level {
    const byRules = this.rules.decide(operation, url, route, namespace)
    return audit === undefined ? byRules : levelOf(audit, byRules)
  }

  /** Which fields of a request's bodies are secret; that is asked of the application's `getSchema`, which may throw. */
  marksOf(request: FastifyRequest): Marks {
    const { schema, url = '' } = request.routeOptions
    if (schema === undefined) return null
    const known = this.marks.get(schema)
    if (known !== undefined) return known
    try {
      const marks = marksOf(schema, (id) => request.server.getSchema(id))
      this.marks.set(schema, marks)
      return marks
    } catch (error) {
      // It may be there for the next request.
      this.warnOfMarks(url, error)
      return 'unknown'
    }
  }

  private warnOfMarks(route: string, err: unknown): void {
    if (this.unreadableRoutes.has(route)) return
    this.unreadableRoutes.add(route)
    this.log.warn({ err, route }, UNKNOWN_MARKS_ADVICE)
  }

  stats(unseen: Record<string, number>): AuditStats {
    const sinks = this.deliveries.map((delivery) => [delivery.name, delivery.stats()] as const)
    return {
      healthy: this.dispatcher.healthy,
      open: this.open.count,
      ...this.counts,
      unseen: { ...unseen },
      sinks: Object.fromEntries(sinks),
    }
  }

  /** Opens every sink, all at once; when one must stop the boot, those that are open are let go of first. */
  async start(exemptedRoutes: readonly string[]): Promise<void> {
    const { openTimeout } = this.options
    this.isOpened = true
    const opened = await Promise.allSettled(this.deliveries.map((delivery) => delivery.open(openTimeout)))
    const failed = opened.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      await this.release()
      throw failed.reason
    }
    this.dispatcher.begin(this.envelope.lifecycle('start', this.startDetails(exemptedRoutes)))
    this.sweep()
  }

  private sweep(): void {
    const { abortTimeout } = this.options
    const interval = Math.max(1, Math.min(SWEEP_INTERVAL, abortTimeout / 2))
    this.sweeper = setInterval(() => this.open.sweep(this.clock.monotonic(), abortTimeout), interval).unref()
  }

  /** Counts looks instead of time: a busy machine gives a handler as many turns of the event loop as an idle one. */
  private sweepWhileClosing(): void {
    clearInterval(this.sweeper)
    const abortTimeout = Math.min(this.options.abortTimeout, CLOSING_ABORT_TIMEOUT)
    let now = this.clock.monotonic()
    this.sweeper = setInterval(() => {
      now += CLOSING_SWEEP_INTERVAL
      this.open.sweep(now, abortTimeout)
    }, CLOSING_SWEEP_INTERVAL).unref()
  }

  /** Lets go of what a boot that failed has opened. */
  async release(): Promise<void> {
    if (!this.isOpened) return
    this.isOpened = false
    clearInterval(this.sweeper)
    await Promise.all(this.deliveries.map((delivery) => delivery.release(this.options.closeTimeout)))
  }

  async close(): Promise<void> {
    if (!this.isOpened) return
    this.isOpened = false
    const { closeTimeout } = this.options
    const end = this.clock.monotonic() + closeTimeout
    this.sweepWhileClosing()
    await this.open.whenEmpty(closeTimeout * CLOSE_SHARE)
    clearInterval(this.sweeper)
    const stillOpen = this.open.count
    this.open.cutOff()
    await this.giveUpWaiting(closeTimeout * ANSWER_SHARE)
    const budget = Math.max(0, end - this.clock.monotonic())
    await Promise.all(this.deliveries.map((delivery) => this.closeDelivery(delivery, budget, stillOpen)))
  }

  async flush(): Promise<void> {
    await Promise.all(this.deliveries.map((delivery) => delivery.flush()))
  }

  async reopen(): Promise<void> {
    await Promise.all(this.deliveries.map((delivery) => delivery.reopen()))
  }

  private get deliveries(): Delivery[] {
    return this.dispatcher.lanes.map(({ delivery }) => delivery)
  }

  /** Exchanges that wait for a sink that hangs are answered before the trails stop that must say with what. */
  private async giveUpWaiting(timeout: number): Promise<void> {
    if (this.open.count === 0) return
    await this.open.whenEmpty(timeout)
    for (const delivery of this.deliveries) delivery.giveUpWaiting(timeout)
  }

  private async closeDelivery(delivery: Delivery, budget: number, open: number): Promise<void> {
    await delivery.close(budget, () => {
      const { stored, lost, inDoubt } = delivery.stats()
      return { stored, lost, in_doubt: inDoubt, open }
    })
    const stats = delivery.stats()
    if (stats.lost + stats.inDoubt === 0) return
    this.log.error({ sink: delivery.name, stats }, `audit sink "${delivery.name}" closed with entries not stored`)
  }

  private delivery(sink: ResolvedSink): Delivery {
    return new Delivery(sinkOf(sink), {
      name: sink.name,
      enforced: sink.deliveryGuarantee === 'enforced',
      format: formatOf(sink),
      timeout: sink.timeout,
      maxQueue: sink.maxQueue,
      maxQueueBytes: sink.maxQueueBytes,
      log: this.log,
      lifecycle: this.envelope.lifecycle,
      seal: this.seal(sink),
    })
  }

  private seal({ name, seal }: ResolvedSink): Seal | null {
    const { log, clock } = this
    return seal === null ? null : new Seal(seal, { sink: name, instance: this.envelope.instance, clock, log })
  }

  private startDetails(exemptedRoutes: readonly string[]): LifecycleDetails['start'] {
    const { filters, rules, sinks, redact } = this.options
    // A digest of a secret would help to guess it.
    const described = { ...this.options, sinks: sinks.map(describeSink), redact: { ...redact, secret: undefined } }
    const options = JSON.stringify(described, (_, value: unknown) =>
      typeof value === 'function' ? '[function]' : value,
    )
    return {
      version: packageVersion(),
      instance: this.envelope.instance,
      hostname: hostname(),
      pid: process.pid,
      node: process.version,
      filters: toJsonValue([...filters, ...sinks.flatMap((sink) => sink.filters)]),
      rules: toJsonValue(rules),
      exempted_routes: [...exemptedRoutes],
      options_digest: createHash('sha256').update(options).digest('hex'),
    }
  }
}

function formatOf({ format, seal }: ResolvedSink): Format {
  if (format === 'json') return jsonFormat
  if (format === 'rancher') return customFormat(rancherLine)
  return seal === null ? customFormat(format) : sealable(customFormat(format))
}

function sinkOf(sink: ResolvedSink): AuditSink {
  if (sink.type === 'file') return fileSink({ ...sink.file, sealed: sink.seal !== null })
  return sink.type === 'stdout' ? stdoutSink() : sink.sink
}

/** A sink that is an instance may hold anything: a socket, a secret, itself. */
function describeSink(sink: ResolvedSink): object {
  const seal = sink.seal === null ? null : { ...sink.seal, secret: undefined, privateKey: undefined }
  return sink.type === 'custom' ? { ...sink, seal, sink: '[instance]' } : { ...sink, seal }
}

function toJsonValue(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value))
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('fastify-audit-log/package.json')
  const version: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined
  return String(version)
}
