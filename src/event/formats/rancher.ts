import { isIP } from 'node:net'
import { quoteWhole } from '../../json.js'
import type { ActionPayload } from '../action.js'
import type { EventAuth, EventPayload, Stage, TrailEvent } from '../event.js'
import { ANONYMOUS } from './json-auth.js'
import { writeJson } from './json-value.js'

// Format `rancher`: the records of Rancher's API audit log, key by key and in its order. What the format has no key
// for is in format `json` alone. The event is bounded and redacted already; here it is only written safely.

/**
 * Rancher's words for an anonymous user: github.com/rancher/steve, pkg/auth/filter.go, `ToMiddleware`. (Kubernetes
 * itself says `system:anonymous`, which no Rancher log has.)
 */
const NOBODY = { name: 'system:unauthenticated', group: ['system:unauthenticated'] }

/** Rancher's status for a response without one; here, the client left before there was one. */
const NO_STATUS = 0

/** The stages of actions beside requests, which Rancher does not have: of an event, and of work. */
export const RANCHER_ACTION_STAGES: readonly (readonly [Stage | undefined, string])[] = [
  [undefined, 'action'],
  ['OperationReceived', 'ActionReceived'],
  ['OperationComplete', 'ActionComplete'],
]

/** A host and its port, the host in brackets when it is IPv6. */
const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/

/** One line of an event, in the shape of Rancher's API audit log. */
export function rancherLine({ created_at, payload }: TrailEvent): string {
  const time = toRancherTime(created_at)
  if (payload.type === 'audit')
    return payload.stage === 'OperationReceived' ? asked(payload, time) : answered(payload, time)
  if (payload.type === 'action') return action(payload, time)
  // Rancher has no such entries: told apart by a stage that is neither of its two.
  const { id, type, timestamp: _, version: __, ...details } = payload
  return writeJson({ auditID: id, stage: type, stageTimestamp: time, ...details })
}

/** Concatenated, as format `json` is: cheaper than putting an object together first. */
function asked({ id, auth, request }: EventPayload, time: string): string {
  return (
    `{"auditID":${quoteWhole(id)},"requestURI":${quoteWhole(request.endpoint)}` +
    `,"sourceIPs":${writeJson(sourceIpsOf(request.request_meta))},"user":${writeJson(userOf(auth))}` +
    `,"verb":${quoteWhole(request.operation)},"stage":"RequestReceived","stageTimestamp":${quoteWhole(time)}` +
    `${request.body === undefined ? '' : `,"requestBody":${writeJson(request.body)}`}}`
  )
}

function answered({ id, response }: EventPayload, time: string): string {
  return (
    `{"auditID":${quoteWhole(id)},"responseStatus":"${response?.status_code ?? NO_STATUS}"` +
    `,"stage":"ResponseComplete","stageTimestamp":${quoteWhole(time)}` +
    `${response?.body === undefined ? '' : `,"responseBody":${writeJson(response.body)}`}}`
  )
}

/** Has the members of format `json`, so that it can be read alone. */
function action({ id, stage, type: _, version: __, ...members }: ActionPayload, time: string): string {
  const [, name] = RANCHER_ACTION_STAGES.find(([known]) => known === stage) ?? []
  return writeJson({ auditID: id, stage: name, stageTimestamp: time, ...members })
}

function userOf({ accessor_id, name, groups }: EventAuth): object {
  // The name may be left out of the trail by `redact.omit`; another one is somebody's whose id is `anonymous`.
  if (accessor_id === ANONYMOUS.accessor_id && (name ?? ANONYMOUS.name) === ANONYMOUS.name) return NOBODY
  return { name: name ?? accessor_id, group: groups ?? [] }
}

/** The client first and the socket's peer last, as Kubernetes' `SourceIPs` has them; Fastify's are nearest first. */
function sourceIpsOf({ source_ips, remote_address }: EventPayload['request']['request_meta']): string[] {
  const nearestFirst = source_ips ?? (remote_address === undefined ? [] : [remote_address])
  return nearestFirst.flatMap(ipOf).reverse()
}

/**
 * The address alone, or nothing: `local` is not an address, and a client may write anything into `x-forwarded-for`. An
 * index that takes `sourceIPs` for addresses would refuse the whole record for one that is not.
 */
function ipOf(address: string): string[] {
  if (isIP(address) !== 0) return [address]
  const [, bracketed, bare = ''] = HOST_AND_PORT.exec(address) ?? []
  const host = bracketed ?? bare
  return isIP(host) === 0 ? [] : [host]
}

/** `2018-07-20 02:22:43 +0000` of an RFC 3339 time in UTC. */
function toRancherTime(isoTime: string): string {
  return `${isoTime.slice(0, 10)} ${isoTime.slice(11, 19)} +0000`
}
