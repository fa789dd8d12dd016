import type { ActionPayload } from '../event/action.js'
import {
  copyMembers,
  hasActionMembers,
  isAuth,
  isNamespace,
  isNumberOrNone,
  isObjectOrNone,
  isTextOrNone,
  isTime,
} from './members.js'
import type { Staged, TrailExchange } from './trail-exchange.js'

const MEMBERS = [
  ...([
    'auth',
    'namespace',
    'action',
    'targets',
    'outcome',
    'reason',
    'changes',
    'at',
    'parent',
    'traceparent',
  ] as const),
  ...(['error', 'aborted', 'duration_ms', 'annotations', 'truncated', 'omitted', 'redacted'] as const),
] as const

/** Makes a record of an action's payload; `undefined` if it is not one. `time` is that of the record. */
export function actionRecord(payload: Record<string, unknown>, time: string): Staged | undefined {
  if (!isAction(payload)) return undefined
  const { id, timestamp, stage } = payload
  const exchange: TrailExchange = { id, type: 'action', timestamp }
  copyMembers(exchange, payload, MEMBERS)
  if (stage === 'OperationComplete') exchange.completed_at = time
  return { kind: stage === 'OperationReceived' ? 'received' : 'complete', isWhole: true, exchange }
}

/** Checks the members that are read here. */
function isAction(payload: Record<string, unknown>): payload is Record<string, unknown> & ActionPayload {
  const { id, stage, timestamp, auth, namespace, action, at, parent, traceparent } = payload
  const { error, aborted, duration_ms, annotations } = payload
  return (
    typeof id === 'string' &&
    (stage === undefined || stage === 'OperationReceived' || stage === 'OperationComplete') &&
    isTime(timestamp) &&
    isAuth(auth) &&
    isNamespace(namespace) &&
    typeof action === 'string' &&
    hasActionMembers(payload) &&
    (at === undefined || isTime(at)) &&
    [parent, traceparent, error].every(isTextOrNone) &&
    (aborted === undefined || aborted === true) &&
    isNumberOrNone(duration_ms) &&
    isObjectOrNone(annotations)
  )
}
