import type { ChangeReport } from '../../redact/change-report.js'
import type { LifecycleDetails, LifecycleType, Stage } from '../event.js'
import { flat } from '../flat.js'
import { writeError } from './json-response.js'
import { writeJson } from './json-value.js'

// Format `json`, Nomad's shape, written by concatenation around escaped parts: a third of what JSON.stringify costs for
// one event. What both stages share is written once per exchange, and what requests have in common (a route, a
// connection, a millisecond) once for many of them. The line is the only place where an event is put together; its
// object form is parsed from it.

/** The text between the id and the identity in a payload, by stage: the same for all requests of a millisecond. */
export type Stamp = Readonly<Record<Stage, string>>

/** The stamp of an RFC 3339 time. */
export function stampOf(time: string): Stamp {
  const write = (stage: Stage) => flat(`","stage":"${stage}","type":"audit","timestamp":"${time}","version":1,"auth":`)
  return { OperationReceived: write('OperationReceived'), OperationComplete: write('OperationComplete') }
}

/** The parts of one stage's payload, as they are written. */
export interface PayloadParts {
  readonly id: string
  readonly stage: Stage
  readonly stamp: Stamp
  readonly auth: string
  readonly request: string
  /** The members after the request. */
  readonly rest: string
}

/**
 * A line of one stage, from its payload on. Each part has its comma before it: a piece less to put together is some 20
 * ns less.
 */
export function writePayload({ id, stage, stamp, auth, request, rest }: PayloadParts, changes: ChangeReport): string {
  return `,"payload":{"id":"${id}${stamp[stage]}${auth}${request}${rest}${writeChanges(changes)}}}`
}

/** Writes a line of the trail's own life, from its payload on. */
export function writeLifecycle<Type extends LifecycleType>(
  type: Type,
  id: string,
  timestamp: string,
  details: LifecycleDetails[Type],
): string {
  return `,"payload":{"id":"${id}","type":"${type}","timestamp":"${timestamp}","version":1,"${type}":${writeJson(details)}}}`
}

/** Writes the correction of an exchange's record, from its payload on. */
export function writeCorrection(
  id: string,
  timestamp: string,
  statusCode: number | undefined,
  error: string | undefined,
  changes: ChangeReport,
): string {
  const status = statusCode === undefined ? '' : `,"status_code":${statusCode}`
  const text = error === undefined ? '' : `,"error":${writeError(error, 'correction.error', changes)}`
  return `,"payload":{"id":"${id}","type":"correction","timestamp":"${timestamp}","version":1,"correction":{${(status + text).slice(1)}}}}`
}

/** The parts of a record that is not one of a request, as they are written. */
export interface RecordParts {
  readonly id: string
  readonly type: 'action' | 'end'
  /** Empty if the record is not one of two. */
  readonly stage: Stage | ''
  readonly timestamp: string
  /** The members after the version, each with its comma before it. */
  readonly members: string
}

/** Writes such a record, from its payload on. */
export function writeRecord({ id, type, stage, timestamp, members }: RecordParts, changes: ChangeReport): string {
  const staged = stage === '' ? '' : `,"stage":"${stage}"`
  return `,"payload":{"id":"${id}"${staged},"type":"${type}","timestamp":"${timestamp}","version":1${members}${writeChanges(changes)}}}`
}

/** Writes lists, because search engines would expand a path that is a key to nested keys. */
export function writeChanges({ truncated, omitted, redacted }: ChangeReport): string {
  let json = ''
  if (truncated !== undefined) json += `,"truncated":${writeJson(entriesOf(truncated, (change) => change))}`
  if (omitted !== undefined) json += `,"omitted":${writeJson(entriesOf(omitted, (reason) => ({ reason })))}`
  if (redacted > 0) json += `,"redacted":${redacted}`
  return json
}

function entriesOf<Value>(byPath: Readonly<Record<string, Value>>, members: (value: Value) => object): object[] {
  return Object.entries(byPath).map(([path, value]) => ({ path, ...members(value) }))
}
