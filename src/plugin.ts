import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from './clock.js'
import { AuditAlreadyRegistered, AuditNotAtRoot } from './errors.js'
import { Exchange } from './exchange.js'
import { messageOf } from './failure.js'
import { filterWarnings } from './filter.js'
import { FRAMEWORK_ERRORS_ADVICE, followFrameworkErrors, isAuditing } from './framework-errors.js'
import { GATE } from './gate.js'
import { frameworkErrorsOption, hasEarlierHooks, isRoot, rootOf } from './internals.js'
import { NONE } from './level.js'
import { type AuditOptions, optionWarnings, parseOptions, type ResolvedOptions, type RouteAudit } from './options.js'
import { type RouterFolding, routerFolding } from './path.js'
import { DetachedAudit, FollowedAudit, type RequestAudit } from './request-audit.js'
import { checkRoute, isExempt } from './route-audit.js'
import { ruleWarnings } from './rules.js'
import { type AuditStats, Trail } from './trail.js'
import { Unseen } from './unseen.js'
import { handOverLast, isHandedOverLast, isUpgrade, watchHandshake } from './websocket.js'

/** What a server knows of its audit trail: `app.audit`. */
export interface AppAudit {
  /** Whether every enforced sink stored its last batch, and none is overdue: what a readiness probe should ask. */
  readonly healthy: boolean
  /** What was counted since the boot. */
  stats(): AuditStats
  /** Resolves when everything that was offered to the sinks has been answered for. */
  flush(): Promise<void>
  /** Has every sink open what is at its path now, after an outside rotation. */
  reopen(): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The audit trail of this server. */
    audit: AppAudit
  }
  interface FastifyRequest {
    /** This request's place in the audit trail. */
    readonly audit: RequestAudit
  }
  interface FastifyContextConfig {
    /**
     * How much of this route's requests is recorded, whatever rules say. `false`, or the level `'none'`: nothing; the
     * trail's start entry names the route.
     */
    audit?: RouteAudit
  }
}

const SLOT = Symbol('fastify-audit-log.slot')
const EXCLUDED = Symbol('fastify-audit-log.excluded')

/** Where a request keeps its exchange: none yet, none at all, or what stands for one. */
interface Slot {
  [SLOT]?: Exchange | DetachedAudit | typeof EXCLUDED | null
}

const EARLY_REPLY_ADVICE =
  'a hook that was registered before fastify-audit-log replied to a request: both of its records were made when it ' +
  'replied, and not before. Register fastify-audit-log first.'

const EARLY_EXEMPTION_ADVICE =
  "a route with `config: { audit: false }` was declared before fastify-audit-log: it is not recorded, and the trail's " +
  'start entry does not name it. Declare routes after `await app.register(audit)`.'

async function auditPlugin(app: FastifyInstance, input: AuditOptions): Promise<void> {
  const options = parseOptions(withoutFastifyOptions(input))
  if (app.hasDecorator('audit')) throw new AuditAlreadyRegistered()
  if (options.scope === 'root' && !isRoot(app)) throw new AuditNotAtRoot()
  app.decorateRequest(SLOT, options.enabled ? null : EXCLUDED)
  app.decorateRequest('audit', { getter: requestAudit })
  if (!options.enabled) {
    app.decorate('audit', disabledAudit(options))
    return
  }
  const folding = routerFolding(app.initialConfig)
  const trail = new Trail(options, folding, app.log, systemClock)
  // What is outside of the part that is audited is a request all the same.
  const unseen = new Unseen(app, options.scope === 'root' ? isSeen : () => true)
  app.decorate('audit', {
    get healthy() {
      return trail.auditor.healthy
    },
    stats: () => trail.stats(unseen.counts),
    flush: () => trail.flush(),
    reopen: () => trail.reopen(),
  })
  const exemptedRoutes = collectRoutes(app, trail)
  addRequestHooks(app, trail)
  app.addHook('onReady', async () => {
    warn(app, options, folding)
    await trail.start(exemptedRoutes)
    unseen.start()
    // A boot that fails later closes nothing by itself, and would leave the files locked. A part's own `ready` is
    // another function, which must not be called here.
    rootOf(app)
      .ready()
      .then(undefined, () => trail.release())
  })
  app.addHook('onClose', async () => {
    unseen.stop()
    await trail.close()
  })
}

/** The hooks in the order in which a request meets them. */
function addRequestHooks(app: FastifyInstance, trail: Trail): void {
  app.addHook('onRequest', (request, reply, done) => {
    const exchange = begin(trail, request, reply)
    if (exchange === null) done()
    else exchange.begin(done)
  })

  app.addHook('preValidation', (request: FastifyRequest & Slot, _reply, done) => {
    const exchange = request[SLOT]
    if (exchange instanceof Exchange) exchange.onBody(done)
    else done()
  })

  app.addHook('onError', (request: FastifyRequest & Slot, _reply, error, done) => {
    const exchange = request[SLOT]
    if (exchange instanceof Exchange) exchange.failure = messageOf(error)
    done()
  })

  app.addHook('onSend', (request: FastifyRequest & Slot, reply, payload, done) => {
    const exchange = exchangeOf(request) ?? beginLate(trail, request, reply)
    exchange?.onPayload(payload)
    done()
  })

  // A raw reply of an earlier hook runs no `onSend` either. The listeners of this hook cost every request some 2 µs.
  if (hasEarlierHooks(app)) {
    app.addHook('onResponse', (request, reply, done) => {
      beginLate(trail, request, reply, true)?.onReply(reply.raw.statusCode, undefined, false)
      done()
    })
  }

  if (app.hasDecorator('websocketServer')) app.addHook('preHandler', handOver(isNotHandedOverLast))

  followFrameworkErrors(app, (request, reply, error, next) => {
    const exchange = begin(trail, request, reply)
    if (exchange === null) {
      next()
      return
    }
    exchange.failure = error.message
    exchange.receive(next)
  })
}

/** The exchange of a request that has just come in, or null when no sink records any of it. */
function begin(trail: Trail, request: FastifyRequest & Slot, reply: FastifyReply): Exchange | null {
  const slot = request[SLOT]
  if (slot instanceof Exchange || slot === EXCLUDED) return null
  const { auditor, counts } = trail
  // Fastify makes this object anew for each look at it.
  const route = request.routeOptions
  const audit = route.config?.audit
  const namespace = trail.rules.needsNamespace ? trail.who.namespaceOf(request) : undefined
  const url = request.raw.url ?? ''
  const level = trail.level(request.method, url, route.url, namespace, audit)
  const exclusions = level === NONE ? -1 : auditor.exclusions(request.method, url)
  if (level === NONE || auditor.isExcludedEverywhere(exclusions)) {
    counts.excluded++
    if (isExempt(audit)) noteExempt(trail, route.url ?? '')
    request[SLOT] = EXCLUDED
    const raw: FastifyReply['raw'] & Slot = reply.raw
    raw[SLOT] = EXCLUDED
    return null
  }
  const exchange = new Exchange(trail, request, reply, route.url, namespace, level, exclusions, slot ?? null)
  request[SLOT] = exchange
  return exchange
}

/** A route that was declared before the plugin is in no list: it is named when it is first asked for. */
function noteExempt(trail: Trail, url: string): void {
  if (trail.exemptedUrls.has(url)) return
  trail.exemptedUrls.add(url)
  trail.log.warn({ route: url }, EARLY_EXEMPTION_ADVICE)
}

/** The exchange of a request that a hook before ours has replied to: its Received is made now. */
function beginLate(trail: Trail, request: FastifyRequest & Slot, reply: FastifyReply, isOut = false): Exchange | null {
  const exchange = begin(trail, request, reply)
  if (exchange === null) return null
  exchange.isOut = isOut
  if (trail.counts.repliedBeforePlugin++ === 0) request.server.log.warn(EARLY_REPLY_ADVICE)
  exchange.receive(() => undefined)
  return exchange
}

function exchangeOf(request: FastifyRequest & Slot): Exchange | null {
  const slot = request[SLOT]
  return slot instanceof Exchange ? slot : null
}

/** `request.audit`: a hook that runs before ours may ask for it, and so may the handler of an excluded request. */
function requestAudit(this: FastifyRequest & Slot): RequestAudit {
  const slot = this[SLOT]
  if (slot instanceof Exchange) {
    slot.facade ??= new FollowedAudit(slot)
    return slot.facade
  }
  if (slot instanceof DetachedAudit) return slot
  const detached = new DetachedAudit(slot === EXCLUDED)
  // An exchange may still begin, and takes it over; an excluded request keeps its mark.
  if (slot !== EXCLUDED) this[SLOT] = detached
  return detached
}

/** Whether the trail knows of a response: records it, or leaves it out on purpose. */
function isSeen(response: object): boolean {
  return GATE in response || SLOT in response
}

/** Records the 101 of an upgrade that is about to be handed over, and corrects it when the handshake fails. */
function handOver(isOurs: (request: FastifyRequest) => boolean) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    const exchange = isUpgrade(request) && isOurs(request) ? exchangeOf(request) : null
    if (exchange === null) {
      done()
      return
    }
    exchange.switchProtocols(() => {
      watchHandshake(request.raw.socket, (statusCode) => {
        if (statusCode !== 101) exchange.correct(statusCode, undefined)
      })
      done()
    })
  }
}

function isNotHandedOverLast(request: FastifyRequest): boolean {
  return !request.is404 && !isHandedOverLast(request)
}

/** Sees every route that is declared from now on: lists those without a trail, and prepares upgrades. */
function collectRoutes(app: FastifyInstance, trail: Trail): string[] {
  const exempted: string[] = []
  const handOverHere = handOver(() => true)
  app.addHook('onRoute', function (this: FastifyInstance, route: RouteOptions) {
    checkRoute(route)
    if (isExempt(route.config?.audit)) {
      exempted.push(`${String(route.method)} ${route.url}`)
      trail.exemptedUrls.add(route.url)
    }
    if (this.hasDecorator('websocketServer')) handOverLast(route, handOverHere)
  })
  return exempted
}

function warn(app: FastifyInstance, options: ResolvedOptions, folding: RouterFolding): void {
  const enforced = options.sinks.some((sink) => sink.deliveryGuarantee === 'enforced')
  const warnings = [
    ...optionWarnings(options),
    ...filterWarnings(options.filters, folding, { enforced }),
    ...ruleWarnings(options.rules, folding),
  ]
  for (const sink of options.sinks) {
    warnings.push(...filterWarnings(sink.filters, folding, { enforced: sink.deliveryGuarantee === 'enforced' }))
  }
  const handler = frameworkErrorsOption(app)
  if (handler !== undefined && !isAuditing(handler)) warnings.push(FRAMEWORK_ERRORS_ADVICE)
  for (const warning of warnings) app.log.warn(`fastify-audit-log: ${warning}`)
}

/** With `enabled: false` everything that an application may call is there, and does nothing. */
function disabledAudit(options: ResolvedOptions): AppAudit {
  const stats = new Trail({ ...options, sinks: [] }, NO_FOLDING, SILENT, systemClock).stats({})
  return { healthy: true, stats: () => stats, flush: async () => undefined, reopen: async () => undefined }
}

const NO_FOLDING: RouterFolding = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What Fastify's own `register` takes beside a plugin's options. */
function withoutFastifyOptions(input: object): object {
  const own = Object.entries(input).filter(([key]) => !['prefix', 'logLevel', 'logSerializers'].includes(key))
  return Object.fromEntries(own)
}

/**
 * The Fastify plugin: registered once at the root, before everything else, it records every request of the server.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` with every mistake, each with what would be right.
 * @throws `FST_AUDIT_NOT_AT_ROOT`, `FST_AUDIT_ALREADY_REGISTERED` when it is registered elsewhere, or twice.
 * @throws `FST_AUDIT_SINK_OPEN_FAILED`, `FST_AUDIT_SINK_LOCKED` when the server gets ready and a sink cannot open.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit from 'fastify-audit-log'
 *
 * const app = Fastify()
 * await app.register(audit)
 * ```
 */
export const audit = fp(auditPlugin, { fastify: '5.x', name: 'fastify-audit-log' })
