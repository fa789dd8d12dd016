import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ActionOrigin } from '../event/action-builder.js'
import { type AskedFacts, EventBuilder } from '../event/event-builder.js'
import { newEventId } from '../event/event-id.js'
import { NONE } from '../event/level.js'
import type { ExchangeContext } from '../exchange/context.js'
import { Exchange } from '../exchange/exchange.js'
import { GATE } from '../exchange/gate/gate.js'
import { DetachedAudit, type RequestAudit } from '../exchange/request-audit.js'
import { type Facts, NO_FACTS } from '../policy/facts.js'
import type { Recording } from '../policy/recording-policy.js'
import { declaredAction } from '../policy/route-level.js'
import { ChangeReport } from '../redact/change-report.js'
import type { ActionRecorder } from '../runtime/action-audit.js'

export const SLOT = Symbol('fastify-audit-log.slot')
export const EXCLUDED = Symbol('fastify-audit-log.excluded')

/** Property that holds a request's exchange; null or missing before it begins, `EXCLUDED` if the request is excluded. */
export interface Slot {
  [SLOT]?: Exchange | DetachedAudit | typeof EXCLUDED | null
}

const EARLY_REPLY_ADVICE =
  'a hook that was registered before fastify-audit-log replied to a request: both of its records were made when it ' +
  'replied, and not before. Register fastify-audit-log first.'

const EARLY_EXEMPTION_ADVICE =
  "a route with `config: { audit: false }` was declared before fastify-audit-log: it is not recorded, and the trail's " +
  'start entry does not name it. Declare routes after `await app.register(audit)`.'

/** Creates the exchange of each request that at least one sink records. */
export class RequestExchanges {
  /** Unrecorded routes that are already named, in the start entry or in the server's log. */
  private readonly exemptUrls = new Set<string>()

  constructor(private readonly context: ExchangeContext) {}

  /** Adds a route that the start entry names. */
  addExempt(url: string): void {
    this.exemptUrls.add(url)
  }

  /** Begins the exchange of a new request. Returns null if no sink records it, or if it has an exchange already. */
  begin(request: FastifyRequest & Slot, reply: FastifyReply): Exchange | null {
    const slot = request[SLOT]
    if (slot instanceof Exchange || slot === EXCLUDED) return null
    const { policy } = this.context
    // Read once: Fastify creates this object anew at each access.
    const { url: route, config } = request.routeOptions
    const facts = policy.needsFacts ? this.ask(request) : NO_FACTS
    const url = request.raw.url ?? ''
    const declared = declaredAction(config?.audit)
    const isPending = policy.needsAction && declared !== undefined
    let recording = policy.decide(request.method, url, route, config?.audit, facts, isPending)
    if (recording.level === NONE) return this.exclude(request, reply, recording)
    const id = slot?.id ?? newEventId()
    const records = new EventBuilder(this.context, request, { id, level: recording.level, route, asked: facts })
    if (declared !== undefined) records.declare(declared)
    const known = isPending ? records.knownAction(undefined) : null
    if (known !== null) {
      recording = policy.decide(request.method, url, route, config?.audit, { ...facts, ...known })
      if (recording.level === NONE) return this.exclude(request, reply, recording)
    }
    if (recording.unclaimed) this.context.counts.add('unclaimed')
    const exchange = new Exchange(this.context, request, reply, records, recording)
    exchange.follow(slot ?? null)
    request[SLOT] = exchange
    return exchange
  }

  /** Asks for those facts of a request that an option looks at. */
  private ask(request: FastifyRequest): Facts & AskedFacts {
    const { policy, who } = this.context
    const caller = policy.needsActor ? who.callerOf(request) : undefined
    const namespace = policy.needsNamespace ? who.namespaceOf(request) : undefined
    return { ...NO_FACTS, actor: caller?.accessorId, caller, namespace }
  }

  /** Begins the exchange of a request that an earlier hook has replied to, and records its Received now. */
  beginLate(request: FastifyRequest & Slot, reply: FastifyReply, isOut = false): Exchange | null {
    const exchange = this.begin(request, reply)
    if (exchange === null) return null
    exchange.isOut = isOut
    const { counts, log } = this.context
    if (!isMalformed(request.raw.url ?? '') && counts.add('repliedBeforePlugin') === 1) log.warn({}, EARLY_REPLY_ADVICE)
    exchange.receive(() => undefined)
    return exchange
  }

  /** Records what happens in a request that is not recorded itself, with its actor and its namespace. */
  beside(request: FastifyRequest): ActionRecorder {
    const { actions, who, redactor, requests } = this.context
    const origin = (): ActionOrigin => {
      const changes = new ChangeReport(redactor)
      // Finds the secrets of the URL.
      redactor.endpoint(request.originalUrl, request.routeOptions.url, changes)
      return {
        auth: who.auth(request, changes),
        namespace: who.namespaceOf(request),
        parent: undefined,
        traceparent: requests.trace?.of(request) ?? [request.headers.traceparent].flat()[0],
        known: changes.known,
      }
    }
    return {
      record: (event) => actions.record(event, origin()),
      run: (work, execute) => actions.run(work, execute, origin()),
    }
  }

  /** Marks a request that no sink records. Returns null, as `begin` does then. */
  private exclude(request: FastifyRequest & Slot, reply: FastifyReply, { unclaimed, exempt }: Recording): null {
    const { counts } = this.context
    counts.add('excluded')
    if (unclaimed) counts.add('unclaimed')
    if (exempt) this.noteExempt(request.routeOptions.url ?? '')
    request[SLOT] = EXCLUDED
    const raw: FastifyReply['raw'] & Slot = reply.raw
    raw[SLOT] = EXCLUDED
    return null
  }

  /** Logs a route that was declared before the plugin at its first request, because the start entry does not name it. */
  private noteExempt(url: string): void {
    if (this.exemptUrls.has(url)) return
    this.exemptUrls.add(url)
    this.context.log.warn({ route: url }, EARLY_EXEMPTION_ADVICE)
  }
}

/**
 * Returns true if Fastify cannot decode the URL's path. If the method has no routes, some versions (for example 5.0) pass
 * such a request to the 404 handler without running any earlier hook.
 */
function isMalformed(url: string): boolean {
  try {
    decodeURI(url.split(/[?#]/, 1)[0] ?? '')
    return false
  } catch (error) {
    if (error instanceof URIError) return true
    throw error
  }
}

export function exchangeOf(request: FastifyRequest & Slot): Exchange | null {
  const slot = request[SLOT]
  return slot instanceof Exchange ? slot : null
}

/**
 * Makes the getter of `request.audit`. Hooks that run before this plugin's, and handlers of excluded requests, may use it
 * too: `beside` records what happens in their requests.
 */
export function requestAudit(
  beside: (request: FastifyRequest) => ActionRecorder,
): (this: FastifyRequest & Slot) => RequestAudit {
  return function (this: FastifyRequest & Slot) {
    const slot = this[SLOT]
    if (slot instanceof Exchange) return slot.audit
    if (slot instanceof DetachedAudit) return slot
    const detached = new DetachedAudit(slot === EXCLUDED, beside(this))
    // Keep it for an exchange that may still begin, but do not overwrite the mark of an excluded request.
    if (slot !== EXCLUDED) this[SLOT] = detached
    return detached
  }
}

/** Returns true if the trail records a response, or excludes it on purpose. */
export function isSeen(response: object): boolean {
  return GATE in response || SLOT in response
}
