import type { EventAuth, EventRequest, EventResponse } from '../event/event.js'
import { isJson, isObject, isTexts } from './members.js'
import type { Staged } from './trail-exchange.js'

/** Rancher's times: `2018-07-20 02:22:43 +0000`. */
const RANCHER_TIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/

/** Makes a record of a request's line in format `rancher`; `undefined` if it is not one. */
export function requestRecord(line: Record<string, unknown>, id: string, time: string): Staged | undefined {
  if (line.stage === 'RequestReceived') {
    return { kind: 'received', isWhole: false, exchange: { id, timestamp: time, ...askedIn(line) } }
  }
  if (line.stage !== 'ResponseComplete') return undefined
  const response = answeredIn(line)
  return { kind: 'complete', isWhole: false, exchange: { id, timestamp: time, completed_at: time, response } }
}

export function rancherTime(value: unknown): string | undefined {
  const [, day, time, hours, minutes] = (typeof value === 'string' ? RANCHER_TIME.exec(value) : undefined) ?? []
  if (day === undefined) return undefined
  const milliseconds = Date.parse(`${day}T${time}${hours}:${minutes}`)
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString()
}

function askedIn(line: Record<string, unknown>): { auth: EventAuth; request: Partial<EventRequest> } {
  const { requestURI, verb, sourceIPs, user, requestBody } = line
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
