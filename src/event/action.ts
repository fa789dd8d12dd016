import type { Envelope, EventAuth, EventMarks, JsonValue, Stage } from './envelope-types.js'

/** A thing to which something is done, as an application names it. */
export interface Target {
  /** The kind of thing, such as `'invoice'`. */
  type: string
  id: string | number
  /** A name for readers. */
  name?: string | undefined
}

/** How an action ended. `'denied'`: the actor was not allowed to do it. */
export type Outcome = 'success' | 'failure' | 'denied'

/** A thing to which something is done, as it stands in a line. */
export interface EventTarget {
  type: string
  id: string
  name?: string
}

/** One value that an action changed: `before` is missing if it was added, `after` if it was removed. */
export interface EventChange {
  /** JSON Pointer (RFC 6901) into the thing after the change; of a removed value, into the thing before it. */
  path: string
  /** The id of the list item in which the value is, if the list is compared by ids. */
  id?: string
  before?: JsonValue
  after?: JsonValue
}

/** Who did what: the members that the records of requests and of actions share. */
export interface EventAction {
  /** What is done, such as `invoice.refund`. */
  action?: string
  /** The things to which it is done. */
  targets?: EventTarget[]
  outcome?: Outcome
  /** Why it ended so. */
  reason?: string
  changes?: EventChange[]
}

/** The part of a line that records an action beside requests. */
export interface ActionPayload extends EventAction, EventMarks {
  /** Minted by the server; the same in both records of work. */
  id: string
  /** Of work with a beginning and an end; missing in the record of an event. */
  stage?: Stage
  type: 'action'
  /** The time of the record; of work, the time at which it began, in both stages. */
  timestamp: string
  version: 1
  /** The actor. */
  auth: EventAuth
  namespace: { id: string }
  action: string
  /** The time at which it happened, as the application says, if that is another than `timestamp`. */
  at?: string
  /** `payload.id` of the request or the work to which this belongs. */
  parent?: string
  /** The W3C trace context in which it happened. */
  traceparent?: string
  /** The message of the error that ended the work. */
  error?: string
  /** The server closed before the work ended. */
  aborted?: true
  /** Of work: from its beginning to its end. */
  duration_ms?: number
  annotations?: Record<string, JsonValue>
}

/** The record of an action beside requests: an event, or one stage of work. */
export type ActionEvent = Envelope<ActionPayload>
