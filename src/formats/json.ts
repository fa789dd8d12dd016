import { BOUNDS, quote, quoteWhole } from '../bound.js'
import type { Changes } from '../changes.js'
import type { EventAuth, JsonValue, LifecycleDetails, LifecycleType, Stage } from '../event.js'

/**
 * Format `json`, Nomad's shape, written by concatenation around escaped parts: a third of what JSON.stringify costs
 * for one event. What both stages share is written once per exchange. The line is the only place where an event is
 * put together; its object form is parsed from it.
 */

/** What a request is, as read from Fastify: none of it is bounded, escaped or redacted yet. */
export interface RequestFacts {
  id: string
  operation: string
  endpoint: string
  route: string | undefined
  namespace: string
  remoteAddress: string
  userAgent: string | undefined
  sourceIps: readonly string[] | undefined
  traceparent: string | undefined
  nodeAddress: string
}

/** What came of it. */
export interface ResponseFacts {
  statusCode: number | undefined
  error: string | undefined
  aborted: boolean
  /** Milliseconds. */
  duration: number
}

/** What stands for a request without an identity: Nomad's anonymous token. */
export const ANONYMOUS: EventAuth = {
  accessor_id: 'anonymous',
  name: 'Anonymous Token',
  policies: ['anonymous'],
  create_time: '0001-01-01T00:00:00Z',
}

/** W3C Trace Context, version 00 to fe, no all-zero id. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** `"request":{…}`, the same in both stages. */
export function writeRequest(facts: RequestFacts, changes: Changes): string {
  const endpoint = changes.redactor.endpoint(facts.endpoint, facts.route, changes)
  return (
    `"request":{"id":${quote(facts.id, BOUNDS.requestId, 'request.id', changes)}` +
    `,"operation":${quote(facts.operation, BOUNDS.identity, 'request.operation', changes)}` +
    `,"endpoint":${quote(endpoint, BOUNDS.endpoint, 'request.endpoint', changes)}` +
    (facts.route === undefined ? '' : `,"route":${quote(facts.route, BOUNDS.route, 'request.route', changes)}`) +
    `,"namespace":{"id":${quote(facts.namespace, BOUNDS.namespace, 'request.namespace.id', changes)}}` +
    `,"request_meta":{${writeMeta(facts, changes)}}` +
    `,"node_meta":{${writeNode(facts, changes)}}}`
  )
}

/** Where a request came from: each member with its comma, the first one without. */
function writeMeta(facts: RequestFacts, changes: Changes): string {
  const { redactor } = changes
  const { remoteAddress, userAgent, sourceIps, traceparent } = facts
  let json = ''
  if (!redactor.omits('request.request_meta.remote_address')) {
    json += `,"remote_address":${quote(remoteAddress, BOUNDS.address, 'request.request_meta.remote_address', changes)}`
  }
  if (userAgent !== undefined && !redactor.omits('request.request_meta.user_agent')) {
    const path = 'request.request_meta.user_agent'
    json += `,"user_agent":${quote(redactor.text(userAgent, path, changes), BOUNDS.userAgent, path, changes)}`
  }
  if (sourceIps !== undefined && !redactor.omits('request.request_meta.source_ips')) {
    json += writeSourceIps(sourceIps, changes)
  }
  if (
    traceparent !== undefined &&
    TRACEPARENT.test(traceparent) &&
    !redactor.omits('request.request_meta.traceparent')
  ) {
    json += `,"traceparent":"${traceparent}"`
  }
  return json.slice(1)
}

function writeNode({ nodeAddress }: RequestFacts, changes: Changes): string {
  if (changes.redactor.omits('request.node_meta.ip')) return ''
  return `"ip":${quote(nodeAddress, BOUNDS.address, 'request.node_meta.ip', changes)}`
}

/** `"response":{…}`. */
export function writeResponse(facts: ResponseFacts, changes: Changes): string {
  return (
    '"response":{' +
    (facts.statusCode === undefined ? '' : `"status_code":${facts.statusCode},`) +
    (facts.error === undefined || changes.redactor.omits('response.error')
      ? ''
      : `"error":${writeError(facts.error, 'response.error', changes)},`) +
    (facts.aborted ? '"aborted":true,' : '') +
    `"duration_ms":${Math.round(facts.duration * 1000) / 1000}}`
  )
}

/** A payload of one stage, from its parts; `rest` is what follows the request, each part with its comma before it. */
export function writePayload(
  stage: Stage,
  id: string,
  timestamp: string,
  auth: string,
  request: string,
  rest: string,
  changes: Changes,
): string {
  return (
    `{"id":"${id}","stage":"${stage}","type":"audit","timestamp":"${timestamp}","version":1,"auth":${auth},` +
    `${request}${rest}${writeChanges(changes)}}`
  )
}

/** A payload of the trail's own life. */
export function writeLifecycle<Type extends LifecycleType>(
  type: Type,
  id: string,
  timestamp: string,
  details: LifecycleDetails[Type],
): string {
  return `{"id":"${id}","type":"${type}","timestamp":"${timestamp}","version":1,"${type}":${writeJson(details)}}`
}

/** The correction of what was recorded of an exchange. */
export function writeCorrection(
  id: string,
  timestamp: string,
  statusCode: number,
  error: string | undefined,
  changes: Changes,
): string {
  const text = error === undefined ? '' : `,"error":${writeError(error, 'correction.error', changes)}`
  return `{"id":"${id}","type":"correction","timestamp":"${timestamp}","version":1,"correction":{"status_code":${statusCode}${text}}}`
}

/** An identity; every string of it is bounded. */
export function writeAuth(auth: EventAuth, changes: Changes): string {
  const { redactor } = changes
  let json = `{"accessor_id":${quote(auth.accessor_id, BOUNDS.identity, 'auth.accessor_id', changes)}`
  if (auth.name !== undefined && !redactor.omits('auth.name'))
    json += `,"name":${quote(auth.name, BOUNDS.identity, 'auth.name', changes)}`
  if (auth.policies !== undefined && !redactor.omits('auth.policies'))
    json += `,"policies":${writeNames(auth.policies, 'auth.policies', changes)}`
  if (auth.groups !== undefined && !redactor.omits('auth.groups'))
    json += `,"groups":${writeNames(auth.groups, 'auth.groups', changes)}`
  if (auth.global !== undefined && !redactor.omits('auth.global')) json += `,"global":${auth.global}`
  if (auth.create_time !== undefined && !redactor.omits('auth.create_time')) {
    json += `,"create_time":${quote(auth.create_time, BOUNDS.identity, 'auth.create_time', changes)}`
  }
  if (auth.method !== undefined && !redactor.omits('auth.method'))
    json += `,"method":${quote(auth.method, BOUNDS.identity, 'auth.method', changes)}`
  if (auth.on_behalf_of !== undefined && !redactor.omits('auth.on_behalf_of')) {
    json += `,"on_behalf_of":${quote(auth.on_behalf_of, BOUNDS.identity, 'auth.on_behalf_of', changes)}`
  }
  return `${json}}`
}

/** Any JSON value, with its strings made safe for a line. */
export function writeJson(value: JsonValue | object): string {
  if (typeof value === 'string') return quoteWhole(value)
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${pairs.map(([key, member]) => `${quoteWhole(key)}:${writeJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

function writeError(error: string, path: string, changes: Changes): string {
  return quote(changes.redactor.text(error, path, changes), BOUNDS.error, path, changes)
}

function writeSourceIps(addresses: readonly string[], changes: Changes): string {
  const path = 'request.request_meta.source_ips'
  const first = addresses.slice(0, BOUNDS.sourceIps)
  if (first.length < addresses.length) changes.markTruncated(path, bytesOf(addresses), bytesOf(first))
  return `,"source_ips":${writeList(first, BOUNDS.address, path, changes)}`
}

function writeNames(names: readonly string[], path: string, changes: Changes): string {
  const first = names.slice(0, BOUNDS.names)
  if (first.length < names.length) changes.markTruncated(path, bytesOf(names), bytesOf(first))
  return writeList(first, BOUNDS.identity, path, changes)
}

/** A list that is short enough; what is cut of a text in it is marked under the list's path and its place. */
function writeList(texts: readonly string[], limit: number, path: string, changes: Changes): string {
  return `[${texts.map((text, index) => quote(text, limit, `${path}.${index}`, changes)).join(',')}]`
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)
}

function writeChanges(changes: Changes): string {
  let json = ''
  if (changes.truncated !== undefined) json += `,"truncated":${JSON.stringify(changes.truncated)}`
  if (changes.omitted !== undefined) json += `,"omitted":${JSON.stringify(changes.omitted)}`
  if (changes.redacted > 0) json += `,"redacted":${changes.redacted}`
  return json
}
