import type { EventAction } from '../event/action.js'
import type { EventAuth, EventPayload, EventRequest, EventResponse, JsonValue, ReplyEnd } from '../event/event.js'

/**
 * A request and its outcome, or an action beside requests: an event, or work. Its records are joined, corrections are
 * applied.
 */
export interface TrailExchange extends EventAction {
  /** `payload.id`, or `auditID` in the format `rancher`. */
  id: string
  /** An action beside requests, which has no `request` and no `response`; missing for a request. */
  type?: 'action'
  /**
   * The time at which the request was received, the work began or the event was recorded; in the format `rancher`, if
   * only the end of a request is known, the time of that.
   */
  timestamp: string
  /** The time at which the outcome of a request or of work was recorded. */
  completed_at?: string
  /** The request was received or the work began, and the outcome is unknown. */
  open?: true
  auth?: EventAuth
  /** In the format `rancher` some keys are missing. */
  request?: Partial<EventRequest>
  response?: EventResponse
  /** What `OperationComplete` says, where `response`, or `error` of work, is what a later correction says. */
  corrected?: Correction
  /** How the reply ended, if it went on after `OperationComplete` or broke after it. */
  end?: ReplyEnd
  /** Of an action beside requests; that of a request is in `request`. */
  namespace?: { id: string }
  /** Of an action beside requests: the time at which it happened, as the application says. */
  at?: string
  /** Of an action beside requests: the `id` of the request or the work to which it belongs. */
  parent?: string
  /** Of an action beside requests: the W3C trace context in which it happened. */
  traceparent?: string
  /** Of work: the message of the error that ended it. */
  error?: string
  /** Of work: the server closed before it ended. */
  aborted?: true
  /** Of work: from its beginning to its end. */
  duration_ms?: number
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

/** The content of a correction; that of work has no status. */
export interface Correction {
  status_code?: number
  error?: string
}

/** Entries that follow the outcome of an exchange, by their type. */
export interface FollowUps {
  correction: Correction
  end: ReplyEnd
}

/** A record that follows the outcome of an exchange, with the id of that. */
export type FollowUp = {
  readonly [Kind in keyof FollowUps]: {
    readonly kind: Kind
    readonly id: string
    readonly time: string
    /** The number in its instance, which the format `rancher` does not have. */
    readonly seq: number | undefined
    readonly content: FollowUps[Kind]
  }
}[keyof FollowUps]

/** A record of an exchange: of one of its two stages, or of an event, which is complete by itself. */
export interface Staged {
  readonly kind: 'received' | 'complete'
  /** False for requests in the format `rancher`, whose second record does not repeat the first. */
  readonly isWhole: boolean
  readonly exchange: TrailExchange
}

/** The content of one line. */
export type TrailRecord =
  | Staged
  | FollowUp
  | { readonly kind: 'life'; readonly type: string; readonly time: string; readonly details: unknown }
