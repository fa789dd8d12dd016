import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from '../clock.js'
import { AuditAlreadyRegistered, AuditNotAtRoot } from '../errors.js'
import { messageOf } from '../event/error-message.js'
import { exchangeContext } from '../exchange/context.js'
import { checkRuntime } from '../exchange/gate/gate-for.js'
import type { RequestAudit } from '../exchange/request-audit.js'
import { handOverLast, isHandedOverLast, isUpgrade, WebsocketServers } from '../exchange/websocket.js'
import { type AuditOptions, parseOptions } from '../options/parse.js'
import { checkRoute } from '../options/route.js'
import { Explainer } from '../policy/explain.js'
import { declaredAction, isExempt, type RouteAudit } from '../policy/route-level.js'
import { RouteTable } from '../policy/route-table.js'
import { routerFolding } from '../policy/router-folding.js'
import { AuditRuntime } from '../runtime/runtime.js'
import { safeLogger } from '../runtime/safe-log.js'
import { warningsOf } from '../runtime/warnings.js'
import type { AppAudit } from './app-audit.js'
import { disabledAudit, UNRECORDED } from './disabled.js'
import { frameworkErrorsOption, hasEarlierHooks, isRoot, rootOf, routerConfig } from './fastify-internals.js'
import { FRAMEWORK_ERRORS_ADVICE, followFrameworkErrors, isAuditing } from './framework-errors.js'
import { EXCLUDED, exchangeOf, isSeen, RequestExchanges, requestAudit, SLOT } from './request-exchange.js'
import { StatsChannel } from './stats-channel.js'
import { UnroutedRequests } from './unrouted-requests.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Audit trail of this server. */
    audit: AppAudit
  }
  interface FastifyRequest {
    /** Audit of this request: its id, and `annotate`. */
    readonly audit: RequestAudit
  }
  interface FastifyContextConfig {
    /**
     * Level at which this route's requests are recorded; it overrides rules. `false` or `'none'` records nothing; the
     * trail's start entry names such a route.
     */
    audit?: RouteAudit | undefined
  }
}

async function auditPlugin(app: FastifyInstance, input: AuditOptions): Promise<void> {
  const options = parseOptions(withoutFastifyOptions(input))
  if (app.hasDecorator('audit')) throw new AuditAlreadyRegistered()
  if (options.scope === 'root' && !isRoot(app)) throw new AuditNotAtRoot()
  checkRuntime()
  app.decorateRequest(SLOT, options.enabled ? null : EXCLUDED)
  if (!options.enabled) {
    app.decorateRequest('audit', { getter: requestAudit(() => UNRECORDED) })
    app.decorate('audit', disabledAudit())
    return
  }
  const config = routerConfig(app)
  const folding = routerFolding(config)
  const log = safeLogger(app.log)
  const runtime = new AuditRuntime(options, folding, log, systemClock)
  const exchanges = new RequestExchanges(exchangeContext(runtime))
  app.decorateRequest('audit', { getter: requestAudit((request) => exchanges.beside(request)) })
  // If only a part of the server is audited, requests outside that part are not unrouted ones.
  const unseen = new UnroutedRequests(app, options.scope === 'root' ? isSeen : () => true)
  const stats = () => runtime.stats(unseen.counts)
  const published = new StatsChannel(runtime.envelope.instance, stats)
  const routes = new RouteTable(app, config)
  let made: Explainer | undefined
  const explainer = () => {
    made ??= new Explainer(options, folding, routes)
    return made
  }
  app.decorate('audit', {
    get healthy() {
      return runtime.dispatcher.healthy
    },
    explain: (method, url, asked) => explainer().explain(method, url, asked),
    explainAction: (action) => explainer().explainAction(action),
    stats,
    record: (event) => runtime.actions.record(event),
    run: (work, execute) => runtime.actions.run(work, execute),
    flush: () => runtime.flush(),
    reopen: () => runtime.reopen(),
  })
  const sockets = new WebsocketServers()
  sockets.watch(app)
  const exemptedRoutes = collectRoutes(app, { runtime, exchanges, routes, sockets })
  addRequestHooks(app, exchanges)
  keepHeldConnections(app, runtime)
  app.addHook('onReady', async () => {
    for (const warning of [...warningsOf(options, folding), ...frameworkErrorsWarnings(app)])
      log.warn({}, `fastify-audit-log: ${warning}`)
    await runtime.start(exemptedRoutes)
    unseen.start()
    published.start()
    // Release the files if the boot fails later: Fastify closes nothing then, and they would stay locked. Use the root's
    // `ready`: that of an encapsulated context is another function, which must not be called here.
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

/** Keeps connections with held replies open when the server closes: Node would close them as idle. */
function keepHeldConnections({ server }: FastifyInstance, runtime: AuditRuntime): void {
  const { closeIdleConnections } = server
  if (typeof closeIdleConnections !== 'function') return
  server.closeIdleConnections = () => runtime.open.closeIdle(() => closeIdleConnections.call(server))
}

/** Adds the hooks, in the order in which a request meets them. */
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

  // Catch a raw reply of an earlier hook, which skips `onSend`. Only if needed: it costs each request about 2 µs.
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

/** Objects that must know every route. */
interface RouteCollectors {
  readonly runtime: AuditRuntime
  readonly exchanges: RequestExchanges
  readonly routes: RouteTable
  readonly sockets: WebsocketServers
}

/** Handles every route declared from now on: lists the unrecorded ones, and prepares upgrades. */
function collectRoutes(app: FastifyInstance, { runtime, exchanges, routes, sockets }: RouteCollectors): string[] {
  const exempted: string[] = []
  const handOverHere = handOver(() => true)
  app.addHook('onRoute', function (this: FastifyInstance, route) {
    checkRoute(route, (id) => this.getSchema(id))
    routes.add(route)
    runtime.redactor.addRoute(route.url)
    runtime.vocabulary?.checkRoute(declaredAction(route.config?.audit)?.action)
    if (isExempt(route.config?.audit)) {
      exempted.push(`${String(route.method)} ${route.url}`)
      exchanges.addExempt(route.url)
    }
    if (!this.hasDecorator('websocketServer')) return
    sockets.watch(this)
    handOverLast(route, handOverHere)
  })
  return exempted
}

function frameworkErrorsWarnings(app: FastifyInstance): string[] {
  const handler = frameworkErrorsOption(app)
  return handler !== undefined && !isAuditing(handler) ? [FRAMEWORK_ERRORS_ADVICE] : []
}

/** Removes the options that Fastify's `register` itself takes. */
function withoutFastifyOptions(input: object): object {
  const own = Object.entries(input).filter(([key]) => !['prefix', 'logLevel', 'logSerializers'].includes(key))
  return Object.fromEntries(own)
}

/**
 * Records every request of the server. Register it once at the root, before everything else.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` with every mistake, and what to write instead.
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
