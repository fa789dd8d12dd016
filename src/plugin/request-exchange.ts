import type { FastifyReply, FastifyRequest } from 'fastify'
import { EventBuilder } from '../event/event-builder.js'
import { newEventId } from '../event/event-id.js'
import { NONE } from '../event/level.js'
import type { ExchangeContext } from '../exchange/context.js'
import { Exchange } from '../exchange/exchange.js'
import { GATE } from '../exchange/gate/gate.js'
import { DetachedAudit, followedAudit, type RequestAudit } from '../exchange/request-audit.js'

export const SLOT = Symbol('fastify-audit-log.slot')
export const EXCLUDED = Symbol('fastify-audit-log.excluded')

/** Where a request keeps its exchange: none yet, none at all, or what stands for one. */
export interface Slot {
  [SLOT]?: Exchange | DetachedAudit | typeof EXCLUDED | null
}

const EARLY_REPLY_ADVICE =
  'a hook that was registered before fastify-audit-log replied to a request: both of its records were made when it ' +
  'replied, and not before. Register fastify-audit-log first.'

const EARLY_EXEMPTION_ADVICE =
  "a route with `config: { audit: false }` was declared before fastify-audit-log: it is not recorded, and the trail's " +
  'start entry does not name it. Declare routes after `await app.register(audit)`.'

/** Gives each request of a server its exchange, if any sink records it. */
export class RequestExchanges {
  /** Routes that are known not to be recorded: by the start entry, or by a line in the server's log. */
  private readonly exemptUrls = new Set<string>()

  constructor(private readonly context: ExchangeContext) {}

  /** Notes a route that the start entry names. */
  addExempt(url: string): void {
    this.exemptUrls.add(url)
  }

  /** The exchange of a request that has just come in, or null when no sink records any of it. */
  begin(request: FastifyRequest & Slot, reply: FastifyReply): Exchange | null {
    const slot = request[SLOT]
    if (slot instanceof Exchange || slot === EXCLUDED) return null
    const { policy, who } = this.context
    // Fastify makes this object anew for each look at it.
    const { url: route, config } = request.routeOptions
    const namespace = policy.needsNamespace ? who.namespaceOf(request) : undefined
    const recording = policy.decide(request.method, request.raw.url ?? '', route, namespace, config?.audit)
    if (recording.level === NONE) {
      this.exclude(request, reply)
      if (recording.exempt) this.noteExempt(route ?? '')
      return null
    }
    const id = slot?.id ?? newEventId()
    const records = new EventBuilder(this.context, request, { id, level: recording.level, route, namespace })
    const exchange = new Exchange(this.context, request, reply, records, recording.exclusions)
    exchange.follow(slot ?? null)
    request[SLOT] = exchange
    return exchange
  }

  /** The exchange of a request that a hook before ours has replied to: its Received is made now. */
  beginLate(request: FastifyRequest & Slot, reply: FastifyReply, isOut = false): Exchange | null {
    const exchange = this.begin(request, reply)
    if (exchange === null) return null
    exchange.isOut = isOut
    const { counts, log } = this.context
    if (!isMalformed(request.raw.url ?? '') && counts.add('repliedBeforePlugin') === 1) log.warn({}, EARLY_REPLY_ADVICE)
    exchange.receive(() => undefined)
    return exchange
  }

  private exclude(request: FastifyRequest & Slot, reply: FastifyReply): void {
    this.context.counts.add('excluded')
    request[SLOT] = EXCLUDED
    const raw: FastifyReply['raw'] & Slot = reply.raw
    raw[SLOT] = EXCLUDED
  }

  /** A route that was declared before the plugin is in no list: it is named when it is first asked for. */
  private noteExempt(url: string): void {
    if (this.exemptUrls.has(url)) return
    this.exemptUrls.add(url)
    this.context.log.warn({ route: url }, EARLY_EXEMPTION_ADVICE)
  }
}

/**
 * Whether Fastify can decode no path of a URL. Where the method has no routes, some versions (5.0 among them) hand such a
 * request to the handler of 404s, and run no hook before it.
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

/** `request.audit`: a hook that runs before ours may ask for it, and so may the handler of an excluded request. */
export function requestAudit(this: FastifyRequest & Slot): RequestAudit {
  const slot = this[SLOT]
  if (slot instanceof Exchange) {
    slot.facade ??= followedAudit(slot)
    return slot.facade
  }
  if (slot instanceof DetachedAudit) return slot
  const detached = new DetachedAudit(slot === EXCLUDED)
  // An exchange may still begin, and takes it over; an excluded request keeps its mark.
  if (slot !== EXCLUDED) this[SLOT] = detached
  return detached
}

/** Whether the trail knows of a response: records it, or leaves it out on purpose. */
export function isSeen(response: object): boolean {
  return GATE in response || SLOT in response
}
