import type { ActionEvent } from '../event/action.js'
import type { AuditEvent, LifecycleDetails, ReplyEnd, TrailEvent } from '../event/event.js'

/** The records of one request, or of one work, that a sink has stored. */
export interface Joined<Event extends AuditEvent | ActionEvent> {
  /** `payload.id` of all of them. */
  readonly id: string
  /** `OperationReceived`. Missing if it was not recorded, and of an event. */
  readonly received?: Event
  /** `OperationComplete`, or the event. Missing if the outcome was not recorded. */
  readonly complete?: Event
  /** What the correction says that followed `OperationComplete`. */
  readonly correction?: LifecycleDetails['correction']
  /** How the reply ended that went on after `OperationComplete`. */
  readonly end?: ReplyEnd
}

/** The records of one request that a memory sink has stored. */
export type MemoryExchange = Joined<AuditEvent>

export function isOfRequest(event: TrailEvent): event is AuditEvent {
  return event.payload.type === 'audit'
}

export function isOfAction(event: TrailEvent): event is ActionEvent {
  return event.payload.type === 'action'
}

export function isRecorded(event: TrailEvent): event is AuditEvent | ActionEvent {
  return isOfRequest(event) || isOfAction(event)
}

/** Joins the records that have the same id, in the order of the first of each. */
export function join<Event extends AuditEvent | ActionEvent>(
  events: Iterable<TrailEvent>,
  isJoined: (event: TrailEvent) => event is Event,
): Array<Joined<Event>> {
  const byId = new Map<string, { -readonly [Key in keyof Joined<Event>]: Joined<Event>[Key] }>()
  for (const event of events) {
    if (isJoined(event)) {
      const { id, stage } = event.payload
      const joined = byId.get(id) ?? { id }
      joined[stage === 'OperationReceived' ? 'received' : 'complete'] = event
      byId.set(id, joined)
      continue
    }
    const { payload } = event
    const joined = byId.get(payload.id)
    if (joined === undefined) continue
    if ('correction' in payload) joined.correction = payload.correction
    if ('end' in payload) joined.end = payload.end
  }
  return [...byId.values()]
}
