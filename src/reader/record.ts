import type { EventAuth, EventPayload, EventRequest, EventResponse, JsonValue } from '../event/event.js'
import { parseJson } from '../json.js'

/** A request and its outcome: both records joined, and corrections applied. */
export interface TrailExchange {
  /** `payload.id`, or `auditID` in the format `rancher`. */
  id: string
  /** When the request was received; in the format `rancher`, if only its end is known, the time of that. */
  timestamp: string
  /** When its outcome was recorded. */
  completed_at?: string
  /** The request was received, and its outcome is unknown. */
  open?: true
  auth?: EventAuth
  /** In the format `rancher` some keys are missing. */
  request?: Partial<EventRequest>
  response?: EventResponse
  /** What `OperationComplete` says, where `response` is what a later correction says. */
  corrected?: { status_code?: number; error?: string }
  annotations?: Record<string, JsonValue>
  truncated?: NonNullable<EventPayload['truncated']>
  omitted?: NonNullable<EventPayload['omitted']>
  redacted?: number
  auth_changed?: true
  /** The identity at the end, if it is not the one at the start. */
  auth_at_end?: EventAuth
  /** The server's run that recorded it. */
  instance?: string
}

/** The content of a correction. */
export interface Correction {
  status_code: number
  error?: string
}

/** The content of one line. */
export type TrailRecord =
  | {
      readonly kind: 'received' | 'complete'
      /** False in the format `rancher`, whose second record does not repeat the request. */
      readonly isWhole: boolean
      readonly exchange: TrailExchange
    }
  | {
      readonly kind: 'correction'
      readonly id: string
      readonly time: string
      /** The number in its instance, which the format `rancher` does not have. */
      readonly seq: number | undefined
      readonly correction: Correction
    }
  | { readonly kind: 'life'; readonly type: string; readonly time: string; readonly details: unknown }

/** Rancher's times: `2018-07-20 02:22:43 +0000`. */
const RANCHER_TIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/

/** Parses a line of either format; `undefined` if it is foreign or torn. */
export function parseRecord(line: string): TrailRecord | undefined {
  const value = parseJson(line)
  if (!isObject(value)) return undefined
  return isObject(value.payload) ? jsonRecord(value, value.payload) : rancherRecord(value)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonRecord(event: Record<string, unknown>, payload: Record<string, unknown>): TrailRecord | undefined {
  const { created_at: time, seq } = event
  if (!isTime(time)) return undefined
  const { id, type } = payload
  if (type !== 'audit') return typeof id === 'string' ? ownRecord({ id, type, time, seq }, payload) : undefined
  if (!isPayload(payload)) return undefined
  const exchange = exchangeOf(payload)
  if (typeof event.instance === 'string') exchange.instance = event.instance
  if (payload.stage === 'OperationReceived') return { kind: 'received', isWhole: true, exchange }
  exchange.completed_at = time
  return { kind: 'complete', isWhole: true, exchange }
}

/** Copies only known keys: a payload must not be able to set `open` or `corrected`. */
function exchangeOf(payload: EventPayload): TrailExchange {
  const { id, timestamp, auth, request, response, annotations, truncated, omitted, redacted } = payload
  const { auth_changed, auth_at_end } = payload
  const exchange: TrailExchange = { id, timestamp, auth, request }
  if (response !== undefined) exchange.response = response
  if (annotations !== undefined) exchange.annotations = annotations
  if (truncated !== undefined) exchange.truncated = truncated
  if (omitted !== undefined) exchange.omitted = omitted
  if (redacted !== undefined) exchange.redacted = redacted
  if (auth_changed !== undefined) exchange.auth_changed = auth_changed
  if (auth_at_end !== undefined) exchange.auth_at_end = auth_at_end
  return exchange
}

/** Parses an entry of the trail's own life; its details are under the name of its type. */
function ownRecord(
  { id, type, time, seq }: { id: string; type: unknown; time: string; seq?: unknown },
  holder: Record<string, unknown>,
): TrailRecord | undefined {
  if (typeof type !== 'string') return undefined
  const details = Object.hasOwn(holder, type) ? holder[type] : undefined
  if (type !== 'correction') return { kind: 'life', type, time, details }
  if (!isObject(details) || typeof details.status_code !== 'number') return undefined
  const { status_code, error } = details
  return {
    kind: 'correction',
    id,
    time,
    seq: typeof seq === 'number' ? seq : undefined,
    correction: typeof error === 'string' ? { status_code, error } : { status_code },
  }
}

function rancherRecord(record: Record<string, unknown>): TrailRecord | undefined {
  const { auditID: id, stage } = record
  const time = isoTime(record.stageTimestamp)
  if (typeof id !== 'string' || time === undefined) return undefined
  if (stage === 'RequestReceived') {
    const { auth, request } = askedIn(record)
    return { kind: 'received', isWhole: false, exchange: { id, timestamp: time, auth, request } }
  }
  if (stage === 'ResponseComplete') {
    const response = answeredIn(record)
    return { kind: 'complete', isWhole: false, exchange: { id, timestamp: time, completed_at: time, response } }
  }
  return ownRecord({ id, type: stage, time }, record)
}

function askedIn(record: Record<string, unknown>): { auth: EventAuth; request: Partial<EventRequest> } {
  const { requestURI, verb, sourceIPs, user, requestBody } = record
  const request: Partial<EventRequest> = {}
  if (typeof verb === 'string') request.operation = verb
  if (typeof requestURI === 'string') request.endpoint = requestURI
  // Rancher lists the client first, we list the nearest address first.
  if (isTexts(sourceIPs)) request.request_meta = { source_ips: sourceIPs.toReversed() }
  if (isJson(requestBody)) request.body = requestBody
  const { name, group } = isObject(user) ? user : {}
  const auth: EventAuth = { accessor_id: typeof name === 'string' ? name : '' }
  if (isTexts(group)) auth.groups = group
  return { auth, request }
}

function answeredIn({ responseStatus, responseBody }: Record<string, unknown>): EventResponse {
  const status = Number(responseStatus)
  const response: EventResponse = {}
  // Rancher's 0 means that there was no status.
  if (Number.isInteger(status) && status > 0) response.status_code = status
  if (isJson(responseBody)) response.body = responseBody
  return response
}

/** Checks the keys of a payload in format `json` that are read here. */
function isPayload(payload: object): payload is EventPayload {
  const { id, stage, timestamp, auth, request, response, annotations }: Partial<Record<keyof EventPayload, unknown>> =
    payload
  return (
    typeof id === 'string' &&
    (stage === 'OperationReceived' || stage === 'OperationComplete') &&
    isTime(timestamp) &&
    isAuth(auth) &&
    isRequest(request) &&
    (response === undefined || isResponse(response)) &&
    (annotations === undefined || isObject(annotations))
  )
}

function isAuth(auth: unknown): boolean {
  return (
    isObject(auth) && typeof auth.accessor_id === 'string' && isTextOrNone(auth.name) && isTextOrNone(auth.on_behalf_of)
  )
}

function isRequest(request: unknown): boolean {
  return (
    isObject(request) &&
    typeof request.operation === 'string' &&
    typeof request.endpoint === 'string' &&
    isTextOrNone(request.route) &&
    isObject(request.namespace) &&
    typeof request.namespace.id === 'string' &&
    isMeta(request.request_meta)
  )
}

function isMeta(meta: unknown): boolean {
  return (
    isObject(meta) &&
    isTextOrNone(meta.remote_address) &&
    isTextOrNone(meta.host) &&
    isTextOrNone(meta.user_agent) &&
    (meta.source_ips === undefined || isTexts(meta.source_ips))
  )
}

function isResponse(response: unknown): boolean {
  return (
    isObject(response) &&
    isNumberOrNone(response.status_code) &&
    isNumberOrNone(response.duration_ms) &&
    isTextOrNone(response.error)
  )
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isNumberOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'number'
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** A value that was parsed from JSON is JSON, unless it is absent. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined
}

/** Requires a year of four digits: other times could not be written again. */
function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-/.test(value) && !Number.isNaN(Date.parse(value))
}

function isoTime(value: unknown): string | undefined {
  const [, day, time, hours, minutes] = (typeof value === 'string' ? RANCHER_TIME.exec(value) : undefined) ?? []
  if (day === undefined) return undefined
  const milliseconds = Date.parse(`${day}T${time}${hours}:${minutes}`)
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString()
}
