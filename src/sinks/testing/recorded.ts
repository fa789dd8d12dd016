import type { ActionEvent, EventTarget } from '../../event/action.js'
import type { AuditEvent, EventRequest, JsonValue, TrailEvent } from '../../event/event.js'
import { isOfRequest, isRecorded, type Joined, join } from '../joined.js'

/** What a trail says of one request, work or event in all its records together. */
export interface Recorded {
  /** Of the last record. */
  readonly payload: (AuditEvent | ActionEvent)['payload']
  readonly namespace: string
  /** Missing if it is an action beside requests. */
  readonly request?: EventRequest
  readonly status?: number | undefined
  readonly error?: string | undefined
  readonly annotations: Readonly<Record<string, JsonValue>>
}

export function recordedIn(events: Iterable<TrailEvent>): Recorded[] {
  return join(events, isRecorded).flatMap(recordedOf)
}

/** A correction says what the client really got. */
function recordedOf({ received, complete, correction, end }: Joined<AuditEvent | ActionEvent>): Recorded[] {
  const event = complete ?? received
  if (event === undefined) return []
  const annotations = { ...event.payload.annotations, ...end?.annotations }
  if (!isOfRequest(event)) {
    const { payload } = event
    const error = correction?.error ?? payload.error
    return [{ payload, namespace: payload.namespace.id, error, annotations }]
  }
  const { payload } = event
  const { request, response } = payload
  const status = correction?.status_code ?? response?.status_code
  const error = correction?.error ?? end?.error ?? response?.error
  return [{ payload, namespace: request.namespace.id, request, status, error, annotations }]
}

/** A target as one text, such as `invoice:42`. */
export function textOf({ type, id }: EventTarget): string {
  return `${type}:${id}`
}

/** Describes it in one line, such as `POST /refunds, status 403, actor ada, action invoice.refund, outcome denied`. */
export function describe({ payload, namespace, request, status, error }: Recorded): string {
  const { auth, action, targets = [], outcome, reason } = payload
  const parts = [
    request === undefined ? 'no request' : `${request.operation} ${request.endpoint}`,
    status !== undefined && `status ${status}`,
    `actor ${auth.accessor_id}${auth.name === undefined ? '' : ` (${auth.name})`}`,
    namespace !== 'default' && `namespace ${namespace}`,
    action !== undefined && `action ${action}`,
    targets.length > 0 && `targets ${targets.map(textOf).join(' ')}`,
    outcome !== undefined && `outcome ${outcome}`,
    reason !== undefined && `reason ${reason}`,
    error !== undefined && `error ${error}`,
  ]
  return parts.filter((part) => part !== false).join(', ')
}
