import type { ActionEvent, EventAction } from './action.js'
import type { Checkpoint } from './checkpoint.js'
import type { Envelope, EventAuth, EventMarks, JsonValue, Stage } from './envelope-types.js'

export type { EventAuth, EventMarks, JsonValue, Stage } from './envelope-types.js'

/** The request, as it stands in a line: the same in both stages. */
export interface EventRequest {
  /** Fastify's request id, which a client may have chosen (`requestIdHeader`). */
  id: string
  operation: string
  endpoint: string
  /** The route's pattern; absent when no route matched. */
  route?: string
  namespace: { id: string }
  request_meta: {
    /** Missing when `redact.omit` names it. */
    remote_address?: string
    /** The requested host; with `trustProxy`, the value from a trusted proxy. */
    host?: string
    user_agent?: string
    source_ips?: string[]
    /** The header of the client, or of the proxy before this server. */
    traceparent?: string
    /** The trace context of the server itself, as the option `trace` gives it. */
    trace?: string
  }
  node_meta: { ip?: string }
  /** The headers that `capture.requestHeaders` names, from the level `request` on. */
  headers?: Record<string, string>
  /** As it was parsed, redacted, from the level `request` on. */
  body?: JsonValue
}

/** The outcome: in `OperationComplete` alone. */
export interface EventResponse {
  /** The status that was sent; absent when the client left and none came. */
  status_code?: number
  error?: string
  /** The client had left before the reply could be sent. */
  aborted?: true
  duration_ms?: number
  /** The headers that `capture.responseHeaders` names, at the level `response`. */
  headers?: Record<string, string>
  /** As the handler sent it, before compression, redacted, at the level `response`. */
  body?: JsonValue
}

/** The part of a line that belongs to the exchange. */
export interface EventPayload extends EventAction, EventMarks {
  /** Minted by the server; the same in both stages. */
  id: string
  stage: Stage
  type: 'audit'
  /** The time at which the request was received; the same in both stages. */
  timestamp: string
  version: 1
  auth: EventAuth
  request: EventRequest
  response?: EventResponse
  annotations?: Record<string, JsonValue>
  /** The identity at the end was not the one at the start; the first one stands. */
  auth_changed?: true
  /** The identity at the end, if `auth_changed`: another caller, or the same one on behalf of somebody else. */
  auth_at_end?: EventAuth
}

/**
 * The record of one stage of one exchange: what a line of format `json` holds.
 * The published JSON Schema is `fastify-audit-log/event.schema.json`.
 */
export type AuditEvent = Envelope<EventPayload>

/** The end of a reply that went on after its `OperationComplete`. */
export interface ReplyEnd {
  /** `aborted`: the client left, or the server closed; `failed`: its source or its connection failed. */
  how: 'closed' | 'aborted' | 'failed'
  error?: string
  /** The close code of a websocket. */
  close_code?: number
  /** From the request's receipt to the end. */
  duration_ms: number
  /** Bytes on the connection after `OperationComplete`, where they are known. */
  bytes_received?: number
  bytes_sent?: number
  /** Annotations that were added after `OperationComplete`. */
  annotations?: Record<string, JsonValue>
}

/** The members of entries about the trail itself, by type. */
export interface LifecycleDetails {
  start: {
    version: string
    instance: string
    hostname: string
    pid: number
    node: string
    filters: JsonValue
    /** The selectors of sinks with `only`, each with its sink's name; missing if there are none. */
    only?: JsonValue
    rules: JsonValue
    exempted_routes: string[]
    options_digest: string
  }
  stop: { stored: number; lost: number; in_doubt: number; open: number }
  rotation: { archive: string; bytes: number; reason: 'size' | 'age' }
  /** `hash`: of its last line, in a sealed sink. `kept`: how many files stay although their names are old enough. */
  retention: { deleted: string; bytes: number; reason: 'count' | 'age'; kept?: number; hash?: string }
  gap: { lost: number; in_doubt: number; from: number; to: number }
  /** `status_code` is missing in the correction of work, which has none. */
  correction: { status_code?: number; error?: string }
  /** How a reply ended that went on after its `OperationComplete`, or broke. */
  end: ReplyEnd
  /** A line that a crash or a failing disk left torn; `set_aside` is missing when there was no room to keep it. */
  torn: { bytes: number; set_aside?: string }
  seal: {
    /** The sink's name in the options. */
    sink: string
    /**
     * `resumed`: this line follows the last sealed one. Otherwise a chain begins here: nothing was stored (`new`), no
     * stored line had a seal (`unsealed`), or the sink cannot tell what it stored last (`unknown`).
     */
    chain: 'resumed' | 'new' | 'unsealed' | 'unknown'
    algorithm: 'sha256' | 'hmac-sha256'
    /** Which secret, of an HMAC. */
    key_id?: string
    /** The `key_id` of the checkpoints that will follow. */
    signing_key?: string
    /** The SHA-256 of the newest line without a seal, if such lines stand before this one. */
    unsealed?: string
    /** Lines that a line follows although the sink refused them: each with the line that it follows itself. */
    dropped?: { readonly prev: string; readonly hash: string }[]
  }
  checkpoint: Checkpoint
}

/** The types of the entries of the trail's own life. */
export type LifecycleType = keyof LifecycleDetails

/** An entry of the trail's own life; never filtered. */
export type LifecycleEvent = {
  [Type in LifecycleType]: Envelope<
    { id: string; type: Type; timestamp: string; version: 1 } & {
      [Key in Type]: LifecycleDetails[Type]
    }
  >
}[LifecycleType]

/** A record of any kind. Consumers must ignore types and members that they do not know: later versions add some. */
export type TrailEvent = AuditEvent | ActionEvent | LifecycleEvent
