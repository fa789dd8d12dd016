import type { EventChange, EventTarget, Outcome } from '../event/action.js'
import type { EventAuth, EventRequest, EventResponse, JsonValue, ReplyEnd } from '../event/event.js'
import type { TrailExchange } from './trail-exchange.js'

// Checks of the members of a line: whoever can write to a file can write anything.

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** A value that was parsed from JSON is JSON, unless it is absent. */
export function isJson(value: unknown): value is JsonValue {
  return value !== undefined
}

/** Requires a year of four digits: other times could not be written again. */
export function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-/.test(value) && !Number.isNaN(Date.parse(value))
}

export function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

export function isNumberOrNone(value: unknown): value is number | undefined {
  return value === undefined || typeof value === 'number'
}

export function isObjectOrNone(value: unknown): boolean {
  return value === undefined || isObject(value)
}

export function isAuth(auth: unknown): auth is EventAuth {
  return (
    isObject(auth) && typeof auth.accessor_id === 'string' && isTextOrNone(auth.name) && isTextOrNone(auth.on_behalf_of)
  )
}

export function isNamespace(namespace: unknown): namespace is { id: string } {
  return isObject(namespace) && typeof namespace.id === 'string'
}

export function isRequest(request: unknown): request is EventRequest {
  return (
    isObject(request) &&
    typeof request.operation === 'string' &&
    typeof request.endpoint === 'string' &&
    isTextOrNone(request.route) &&
    isNamespace(request.namespace) &&
    isMeta(request.request_meta)
  )
}

export function isResponse(response: unknown): response is EventResponse {
  return (
    isObject(response) &&
    isNumberOrNone(response.status_code) &&
    isNumberOrNone(response.duration_ms) &&
    isTextOrNone(response.error)
  )
}

/** Tells whether the members that requests and actions share have the right types, if they are there. */
export function hasActionMembers({ action, targets, outcome, reason, changes }: Record<string, unknown>): boolean {
  return (
    isTextOrNone(action) &&
    (targets === undefined || (Array.isArray(targets) && targets.every(isTarget))) &&
    (outcome === undefined || isOutcome(outcome)) &&
    isTextOrNone(reason) &&
    (changes === undefined || (Array.isArray(changes) && changes.every(isChange)))
  )
}

export function isOutcome(value: unknown): value is Outcome {
  return value === 'success' || value === 'failure' || value === 'denied'
}

export function isEnd(end: unknown): end is ReplyEnd {
  return (
    isObject(end) &&
    (end.how === 'closed' || end.how === 'aborted' || end.how === 'failed') &&
    typeof end.duration_ms === 'number' &&
    isTextOrNone(end.error) &&
    [end.close_code, end.bytes_received, end.bytes_sent].every(isNumberOrNone) &&
    isObjectOrNone(end.annotations)
  )
}

/** Copies the members that are there: an exchange must not get others, such as `open` or `corrected`, from a line. */
export function copyMembers<Key extends keyof TrailExchange>(
  to: TrailExchange,
  from: { readonly [Member in Key]?: TrailExchange[Member] | undefined },
  keys: readonly Key[],
): void {
  for (const key of keys) {
    const value = from[key]
    if (value !== undefined) to[key] = value
  }
}

function isMeta(meta: unknown): boolean {
  return (
    isObject(meta) &&
    isTextOrNone(meta.remote_address) &&
    isTextOrNone(meta.host) &&
    isTextOrNone(meta.user_agent) &&
    isTextOrNone(meta.traceparent) &&
    isTextOrNone(meta.trace) &&
    (meta.source_ips === undefined || isTexts(meta.source_ips))
  )
}

function isTarget(target: unknown): target is EventTarget {
  return (
    isObject(target) && typeof target.type === 'string' && typeof target.id === 'string' && isTextOrNone(target.name)
  )
}

function isChange(change: unknown): change is EventChange {
  return isObject(change) && typeof change.path === 'string' && isTextOrNone(change.id)
}
