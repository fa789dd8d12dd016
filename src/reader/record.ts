import type { EventPayload } from '../event/event.js'
import { RANCHER_ACTION_STAGES } from '../event/formats/rancher.js'
import { parseJson } from '../json.js'
import { actionRecord } from './action-record.js'
import {
  copyMembers,
  hasActionMembers,
  isAuth,
  isEnd,
  isNumberOrNone,
  isObject,
  isObjectOrNone,
  isRequest,
  isResponse,
  isTextOrNone,
  isTime,
} from './members.js'
import { rancherTime, requestRecord } from './rancher-record.js'
import type { Correction, FollowUp, Staged, TrailExchange, TrailRecord } from './trail-exchange.js'

const MEMBERS = [
  ...(['auth', 'request', 'response', 'action', 'targets', 'outcome', 'reason', 'changes', 'annotations'] as const),
  ...(['truncated', 'omitted', 'redacted', 'auth_changed', 'auth_at_end'] as const),
] as const

/** Parses a line of either format; `undefined` if it is foreign or torn. */
export function parseRecord(line: string): TrailRecord | undefined {
  const value = parseJson(line)
  if (!isObject(value)) return undefined
  return isObject(value.payload) ? jsonRecord(value, value.payload) : rancherRecord(value)
}

/** Tells whether a record is a stage of an exchange, or an event; other records follow one, or are about the trail. */
export function isStaged(record: TrailRecord): record is Staged {
  return record.kind === 'received' || record.kind === 'complete'
}

function jsonRecord(event: Record<string, unknown>, payload: Record<string, unknown>): TrailRecord | undefined {
  const { created_at: time, seq, instance } = event
  if (!isTime(time)) return undefined
  const { id, type } = payload
  if (type !== 'audit' && type !== 'action') {
    return typeof id === 'string' ? ownRecord({ id, type, time, seq }, payload) : undefined
  }
  const record = type === 'audit' ? auditRecord(payload, time) : actionRecord(payload, time)
  if (record !== undefined && typeof instance === 'string') record.exchange.instance = instance
  return record
}

function auditRecord(payload: Record<string, unknown>, time: string): Staged | undefined {
  if (!isPayload(payload)) return undefined
  const { id, timestamp, stage } = payload
  const exchange: TrailExchange = { id, timestamp }
  copyMembers(exchange, payload, MEMBERS)
  if (stage === 'OperationReceived') return { kind: 'received', isWhole: true, exchange }
  exchange.completed_at = time
  return { kind: 'complete', isWhole: true, exchange }
}

interface OwnMembers {
  readonly id: string
  readonly type: unknown
  readonly time: string
  readonly seq?: unknown
}

/** Parses an entry without a stage; its details are under the name of its type. */
function ownRecord({ id, type, time, seq }: OwnMembers, holder: Record<string, unknown>): TrailRecord | undefined {
  if (typeof type !== 'string') return undefined
  const details = Object.hasOwn(holder, type) ? holder[type] : undefined
  if (type !== 'correction' && type !== 'end') return { kind: 'life', type, time, details }
  return followUp(type, details, { id, time, seq: typeof seq === 'number' ? seq : undefined })
}

function followUp(
  kind: FollowUp['kind'],
  details: unknown,
  members: Pick<FollowUp, 'id' | 'time' | 'seq'>,
): FollowUp | undefined {
  if (kind === 'end') return isEnd(details) ? { kind, ...members, content: details } : undefined
  const content = correctionOf(details)
  return content === undefined ? undefined : { kind, ...members, content }
}

function correctionOf(details: unknown): Correction | undefined {
  if (!isObject(details)) return undefined
  const { status_code, error } = details
  if (!isNumberOrNone(status_code) || !isTextOrNone(error) || (status_code ?? error) === undefined) return undefined
  return { ...(status_code !== undefined && { status_code }), ...(error !== undefined && { error }) }
}

function rancherRecord(record: Record<string, unknown>): TrailRecord | undefined {
  const { auditID: id, stage } = record
  const time = rancherTime(record.stageTimestamp)
  if (typeof id !== 'string' || time === undefined) return undefined
  const action = RANCHER_ACTION_STAGES.find(([, name]) => name === stage)
  if (action !== undefined) return actionRecord({ ...record, id, stage: action[0] }, time)
  return requestRecord(record, id, time) ?? ownRecord({ id, type: stage, time }, record)
}

/** Checks the keys of a payload in format `json` that are read here. */
function isPayload(payload: Record<string, unknown>): payload is Record<string, unknown> & EventPayload {
  const { id, stage, timestamp, auth, request, response, annotations } = payload
  return (
    typeof id === 'string' &&
    (stage === 'OperationReceived' || stage === 'OperationComplete') &&
    isTime(timestamp) &&
    isAuth(auth) &&
    isRequest(request) &&
    (response === undefined || isResponse(response)) &&
    isObjectOrNone(annotations) &&
    hasActionMembers(payload)
  )
}
