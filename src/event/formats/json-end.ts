import type { ChangeReport } from '../../redact/change-report.js'
import type { ReplyEnd } from '../event.js'
import { writeChanges } from './json.js'
import { writeDuration, writeError } from './json-response.js'

/** Facts about the end of a reply. */
export interface EndFacts {
  readonly how: ReplyEnd['how']
  readonly error?: string | undefined
  readonly closeCode?: number | undefined
  readonly bytesReceived?: number | undefined
  readonly bytesSent?: number | undefined
}

/** The members of an end entry. */
export interface WrittenEnd extends EndFacts {
  /** Milliseconds. */
  readonly duration: number
  /** As JSON. */
  readonly annotations: string | undefined
}

/** Writes the end of a reply, from its payload on. */
export function writeEnd(id: string, timestamp: string, end: WrittenEnd, changes: ChangeReport): string {
  const error = end.error === undefined || changes.redactor.omits('response.error') ? undefined : end.error
  const members =
    `"how":"${end.how}"` +
    (error === undefined ? '' : `,"error":${writeError(error, 'end.error', changes)}`) +
    member('close_code', end.closeCode) +
    `,"duration_ms":${writeDuration(end.duration)}` +
    member('bytes_received', end.bytesReceived) +
    member('bytes_sent', end.bytesSent) +
    member('annotations', end.annotations)
  return `,"payload":{"id":"${id}","type":"end","timestamp":"${timestamp}","version":1,"end":{${members}}${writeChanges(changes)}}}`
}

function member(name: string, json: string | number | undefined): string {
  return json === undefined ? '' : `,"${name}":${json}`
}
