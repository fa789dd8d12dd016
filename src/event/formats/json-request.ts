import { METHODS } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { ChangeReport } from '../../redact/change-report.js'
import { bounded, quote } from '../bounded-text.js'
import { flat } from '../flat.js'
import { headerText } from '../header-text.js'
import { BOUNDS } from '../limits.js'
import { Connections, type RequestFacts, readRequest } from '../request-facts.js'
import type { TraceReader } from '../trace.js'
import { isTraceparent } from '../traceparent.js'
import { writeTexts } from './json-lists.js'

const ADDRESSES = { items: BOUNDS.sourceIps, bytes: BOUNDS.address }

/** The namespace of requests without one. */
export const DEFAULT_NAMESPACE = 'default'

/** The JSON from the id to the endpoint, by method. */
const operations = new Map(METHODS.map((method) => [method, flat(`","operation":"${method}","endpoint":"`)]))

/** Writes requests, and caches what requests of one server share: a route, a connection. */
export class RequestWriter {
  private readonly connections = new Connections()
  /** The JSON from the end of the endpoint to the end of the namespace, by route, for the default namespace. */
  private readonly places = new Map<string, string>()

  /** `trace` is null without the option of that name. */
  constructor(readonly trace: TraceReader | null = null) {}

  /** `,"request":{…}` of a request, the same in both stages. */
  write(request: FastifyRequest, route: string | undefined, namespace: string, changes: ChangeReport): string {
    const trace = this.trace === null ? undefined : this.trace.of(request)
    return this.writeFacts(readRequest(request, route, namespace, this.connections, changes), trace, changes)
  }

  /** `,"request":{…}`, the same in both stages; `trace` is not among the facts, so that requests without it allocate none. */
  writeFacts(facts: RequestFacts, trace: string | undefined, changes: ChangeReport): string {
    const endpoint = changes.redactor.endpoint(facts.endpoint, facts.route, changes)
    return (
      `,"request":{"id":"${bounded(facts.id, BOUNDS.requestId, 'request.id', changes)}` +
      (operations.get(facts.operation) ?? writeOperation(facts.operation, changes)) +
      bounded(endpoint, BOUNDS.endpoint, 'request.endpoint', changes) +
      this.place(facts.route, facts.namespace, changes) +
      writeOrigin(facts, trace, changes)
    )
  }

  /** Writes the part from the end of the endpoint to the end of the namespace. */
  private place(route: string | undefined, namespace: string, changes: ChangeReport): string {
    const isKept = route !== undefined && namespace === DEFAULT_NAMESPACE
    const kept = isKept ? this.places.get(route) : undefined
    if (kept !== undefined) return kept
    const json =
      (route === undefined ? '"' : `","route":${quote(route, BOUNDS.route, 'request.route', changes)}`) +
      `,"namespace":{"id":${quote(namespace, BOUNDS.namespace, 'request.namespace.id', changes)}}`
    if (isKept && changes.isUntouched) this.places.set(route, flat(json))
    return json
  }
}

function writeOperation(operation: string, changes: ChangeReport): string {
  return `","operation":${quote(operation, BOUNDS.identity, 'request.operation', changes)},"endpoint":"`
}

/** Writes the request from `request_meta` to its end. */
function writeOrigin(facts: RequestFacts, trace: string | undefined, changes: ChangeReport): string {
  const { connection, host, userAgent, sourceIps, traceparent } = facts
  const { origin } = connection
  const isKept = sourceIps === undefined && traceparent === undefined && trace === undefined
  if (isKept && origin !== null && origin.userAgent === userAgent && origin.host === host) return origin.json
  const json = `,"request_meta":{${writeMeta(facts, trace, changes)}},"node_meta":{${writeNode(facts, changes)}}}`
  if (isKept && changes.isUntouched) connection.origin = { host, userAgent, json: flat(json) }
  return json
}

/** Writes the members of `request_meta`. */
function writeMeta(facts: RequestFacts, trace: string | undefined, changes: ChangeReport): string {
  const { redactor } = changes
  const { connection, host, userAgent, sourceIps, traceparent } = facts
  let json = ''
  if (!redactor.omits('request.request_meta.remote_address')) {
    json += `,"remote_address":${quote(connection.remote, BOUNDS.address, 'request.request_meta.remote_address', changes)}`
  }
  if (host !== '' && !redactor.omits('request.request_meta.host')) {
    json += `,"host":${writeHeader(host, BOUNDS.host, 'request.request_meta.host', changes)}`
  }
  if (userAgent !== undefined && !redactor.omits('request.request_meta.user_agent')) {
    json += `,"user_agent":${writeHeader(userAgent, BOUNDS.userAgent, 'request.request_meta.user_agent', changes)}`
  }
  if (sourceIps !== undefined && !redactor.omits('request.request_meta.source_ips')) {
    json += writeSourceIps(sourceIps, changes)
  }
  if (traceparent !== undefined && isTraceparent(traceparent) && !redactor.omits('request.request_meta.traceparent')) {
    json += `,"traceparent":"${traceparent}"`
  }
  if (trace !== undefined && !redactor.omits('request.request_meta.trace')) json += `,"trace":"${trace}"`
  return json.slice(1)
}

function writeHeader(value: string, limit: number, path: string, changes: ChangeReport): string {
  return quote(changes.redactor.text(headerText(value), path, changes), limit, path, changes)
}

function writeNode({ connection }: RequestFacts, changes: ChangeReport): string {
  if (changes.redactor.omits('request.node_meta.ip')) return ''
  return `"ip":${quote(connection.local, BOUNDS.address, 'request.node_meta.ip', changes)}`
}

function writeSourceIps(addresses: readonly string[], changes: ChangeReport): string {
  return `,"source_ips":${writeTexts(addresses.map(headerText), ADDRESSES, 'request.request_meta.source_ips', changes)}`
}
