/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** The point of an exchange that an event records. */
export type Stage = 'OperationReceived' | 'OperationComplete'

/** The caller, as it stands in a line. */
export interface EventAuth {
  accessor_id: string
  name?: string
  policies?: string[]
  groups?: string[]
  global?: boolean
  create_time?: string
  method?: string
  on_behalf_of?: string
}

/** What was changed in a record on its way into its line. */
export interface EventMarks {
  /** The parts that were cut: the path, the size in bytes, and the bytes that were kept. */
  truncated?: Array<{ path: string; bytes: number; kept: number }>
  /** The parts that were left out: the path, and the reason. */
  omitted?: Array<{ path: string; reason: string }>
  /** The number of redacted values. */
  redacted?: number
}

/** The members of every line around its payload. */
export interface Envelope<Payload> {
  /** The time at which this record was made. */
  created_at: string
  event_type: 'audit'
  /** Minted when the server booted. */
  instance: string
  /** Counts what was offered to this sink by this instance. */
  seq: number
  payload: Payload
  /** In a sealed sink: the `hash` of the line before. */
  prev?: string
  /** In a sealed sink: the hash of this line without this member. */
  hash?: string
}
