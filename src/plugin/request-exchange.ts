import type { FastifyReply, FastifyRequest } from 'fastify'
import { NONE } from '../event/level.js'
import { Exchange } from '../exchange/exchange.js'
import { GATE } from '../exchange/gate/gate.js'
import { DetachedAudit, FollowedAudit, type RequestAudit } from '../exchange/request-audit.js'
import { isExempt } from '../policy/route-level.js'
import type { AuditRuntime } from '../runtime/runtime.js'

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

/** The exchange of a request that has just come in, or null when no sink records any of it. */
export function begin(runtime: AuditRuntime, request: FastifyRequest & Slot, reply: FastifyReply): Exchange | null {
  const slot = request[SLOT]
  if (slot instanceof Exchange || slot === EXCLUDED) return null
  const { dispatcher, counts } = runtime
  // Fastify makes this object anew for each look at it.
  const route = request.routeOptions
  const audit = route.config?.audit
  const namespace = runtime.rules.needsNamespace ? runtime.who.namespaceOf(request) : undefined
  const url = request.raw.url ?? ''
  const level = runtime.level(request.method, url, route.url, namespace, audit)
  const exclusions = level === NONE ? -1 : dispatcher.exclusions(request.method, url)
  if (level === NONE || dispatcher.isExcludedEverywhere(exclusions)) {
    counts.excluded++
    if (isExempt(audit)) noteExempt(runtime, route.url ?? '')
    request[SLOT] = EXCLUDED
    const raw: FastifyReply['raw'] & Slot = reply.raw
    raw[SLOT] = EXCLUDED
    return null
  }
  const exchange = new Exchange(runtime, request, reply, route.url, namespace, level, exclusions, slot ?? null)
  request[SLOT] = exchange
  return exchange
}

/** A route that was declared before the plugin is in no list: it is named when it is first asked for. */
function noteExempt(runtime: AuditRuntime, url: string): void {
  if (runtime.exemptedUrls.has(url)) return
  runtime.exemptedUrls.add(url)
  runtime.log.warn({ route: url }, EARLY_EXEMPTION_ADVICE)
}

/** The exchange of a request that a hook before ours has replied to: its Received is made now. */
export function beginLate(
  runtime: AuditRuntime,
  request: FastifyRequest & Slot,
  reply: FastifyReply,
  isOut = false,
): Exchange | null {
  const exchange = begin(runtime, request, reply)
  if (exchange === null) return null
  exchange.isOut = isOut
  if (!isMalformed(request.raw.url ?? '') && runtime.counts.repliedBeforePlugin++ === 0) {
    runtime.log.warn({}, EARLY_REPLY_ADVICE)
  }
  exchange.receive(() => undefined)
  return exchange
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
export function isSeen(response: object): boolean {
  return GATE in response || SLOT in response
}
