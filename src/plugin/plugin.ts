import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from '../clock.js'
import { AuditAlreadyRegistered, AuditNotAtRoot } from '../errors.js'
import { messageOf } from '../event/error-message.js'
import { exchangeContext } from '../exchange/context.js'
import { checkRuntime } from '../exchange/gate/gate-for.js'
import type { RequestAudit } from '../exchange/request-audit.js'
import { handOverLast, isHandedOverLast, isUpgrade } from '../exchange/websocket.js'
import { type AuditOptions, optionWarnings, parseOptions, type ResolvedOptions } from '../options/parse.js'
import { checkRoute } from '../options/route.js'
import { Explainer } from '../policy/explain.js'
import { filterWarnings } from '../policy/filter.js'
import { type RouterFolding, routerFolding } from '../policy/path.js'
import { isExempt, type RouteAudit } from '../policy/route-level.js'
import { RouteTable } from '../policy/route-table.js'
import { ruleWarnings } from '../policy/rules.js'
import { AuditRuntime } from '../runtime/runtime.js'
import { safeLogger } from '../runtime/safe-log.js'
import type { AppAudit } from './app-audit.js'
import { disabledAudit } from './disabled.js'
import { frameworkErrorsOption, hasEarlierHooks, isRoot, rootOf, routerConfig } from './fastify-internals.js'
import { FRAMEWORK_ERRORS_ADVICE, followFrameworkErrors, isAuditing } from './framework-errors.js'
import { EXCLUDED, exchangeOf, isSeen, RequestExchanges, requestAudit, SLOT } from './request-exchange.js'
import { StatsChannel } from './stats-channel.js'
import { UnroutedRequests } from './unrouted-requests.js'

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

async function auditPlugin(app: FastifyInstance, input: AuditOptions): Promise<void> {
  const options = parseOptions(withoutFastifyOptions(input))
  if (app.hasDecorator('audit')) throw new AuditAlreadyRegistered()
  if (options.scope === 'root' && !isRoot(app)) throw new AuditNotAtRoot()
  checkRuntime()
  app.decorateRequest(SLOT, options.enabled ? null : EXCLUDED)
  app.decorateRequest('audit', { getter: requestAudit })
  if (!options.enabled) {
    app.decorate('audit', disabledAudit())
    return
  }
  const config = routerConfig(app)
  const folding = routerFolding(config)
  const log = safeLogger(app.log)
  const runtime = new AuditRuntime(options, folding, log, systemClock)
  const exchanges = new RequestExchanges(exchangeContext(runtime))
  // What is outside of the part that is audited is a request all the same.
  const unseen = new UnroutedRequests(app, options.scope === 'root' ? isSeen : () => true)
  const stats = () => runtime.stats(unseen.counts)
  const published = new StatsChannel(runtime.envelope.instance, stats)
  const routes = new RouteTable(app, config)
  let explainer: Explainer | undefined
  app.decorate('audit', {
    get healthy() {
      return runtime.dispatcher.healthy
    },
    explain(method, url, asked) {
      explainer ??= new Explainer(options, folding, routes)
      return explainer.explain(method, url, asked)
    },
    stats,
    flush: () => runtime.flush(),
    reopen: () => runtime.reopen(),
  })
  const exemptedRoutes = collectRoutes(app, { runtime, exchanges, routes })
  addRequestHooks(app, exchanges)
  keepHeldConnections(app, runtime)
  app.addHook('onReady', async () => {
    for (const warning of warningsOf(app, options, folding)) log.warn({}, `fastify-audit-log: ${warning}`)
    await runtime.start(exemptedRoutes)
    unseen.start()
    published.start()
    // A boot that fails later closes nothing by itself, and would leave the files locked. A part's own `ready` is
    // another function, which must not be called here.
    rootOf(app)
      .ready()
      .then(undefined, () => runtime.release())
  })
  app.addHook('onClose', async () => {
    unseen.stop()
    await runtime.close()
    published.stop()
  })
}

/** A closing server closes idle connections at once, and held replies would be lost with them. */
function keepHeldConnections({ server }: FastifyInstance, runtime: AuditRuntime): void {
  const { closeIdleConnections } = server
  if (typeof closeIdleConnections !== 'function') return
  server.closeIdleConnections = () => runtime.open.closeIdle(() => closeIdleConnections.call(server))
}

/** The hooks in the order in which a request meets them. */
function addRequestHooks(app: FastifyInstance, exchanges: RequestExchanges): void {
  app.addHook('onRequest', (request, reply, done) => {
    const exchange = exchanges.begin(request, reply)
    if (exchange === null) done()
    else exchange.begin(done)
  })

  app.addHook('preValidation', (request, _reply, done) => {
    const exchange = exchangeOf(request)
    if (exchange === null) done()
    else exchange.onBody(done)
  })

  app.addHook('preHandler', (request, _reply, done) => {
    const exchange = exchangeOf(request)
    if (exchange === null) done()
    else exchange.beforeHandler(done)
  })

  app.addHook('onError', (request, _reply, error, done) => {
    const exchange = exchangeOf(request)
    if (exchange !== null) exchange.notes.failure = messageOf(error)
    done()
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    const exchange = exchangeOf(request) ?? exchanges.beginLate(request, reply)
    exchange?.onPayload(payload)
    done()
  })

  // A raw reply of an earlier hook runs no `onSend` either. The listeners of this hook cost every request some 2 µs.
  if (hasEarlierHooks(app)) {
    app.addHook('onResponse', (request, reply, done) => {
      exchanges.beginLate(request, reply, true)?.onReply(reply.raw.statusCode, undefined, false)
      done()
    })
  }

  if (app.hasDecorator('websocketServer')) app.addHook('preHandler', handOver(isNotHandedOverLast))

  followFrameworkErrors(app, (request, reply, error, next) => {
    const exchange = exchanges.begin(request, reply)
    if (exchange === null) {
      next()
      return
    }
    exchange.notes.failure = error.message
    exchange.receive(next)
  })
}

/** Records the 101 of an upgrade that is about to be handed over, and corrects it when the handshake fails. */
function handOver(isOurs: (request: FastifyRequest) => boolean) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    const exchange = isUpgrade(request) && isOurs(request) ? exchangeOf(request) : null
    if (exchange === null) {
      done()
      return
    }
    exchange.switchProtocols(done)
  }
}

function isNotHandedOverLast(request: FastifyRequest): boolean {
  return !request.is404 && !isHandedOverLast(request)
}

/** What must know of every route. */
interface RouteCollectors {
  readonly runtime: AuditRuntime
  readonly exchanges: RequestExchanges
  readonly routes: RouteTable
}

/** Sees every route that is declared from now on: lists those without a trail, and prepares upgrades. */
function collectRoutes(app: FastifyInstance, { runtime, exchanges, routes }: RouteCollectors): string[] {
  const exempted: string[] = []
  const handOverHere = handOver(() => true)
  app.addHook('onRoute', function (this: FastifyInstance, route) {
    checkRoute(route, (id) => this.getSchema(id))
    routes.add(route)
    runtime.redactor.addRoute(route.url)
    if (isExempt(route.config?.audit)) {
      exempted.push(`${String(route.method)} ${route.url}`)
      exchanges.addExempt(route.url)
    }
    if (this.hasDecorator('websocketServer')) handOverLast(route, handOverHere)
  })
  return exempted
}

function warningsOf(app: FastifyInstance, options: ResolvedOptions, folding: RouterFolding): string[] {
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
  return warnings
}

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
