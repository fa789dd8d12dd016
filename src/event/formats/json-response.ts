import type { ChangeReport } from '../../redact/change-report.js'
import { quote } from '../bounded-text.js'
import { flat } from '../flat.js'
import { BOUNDS } from '../limits.js'

/** The outcome of a request. */
export interface ResponseFacts {
  statusCode: number | undefined
  error: string | undefined
  aborted: boolean
  /** Milliseconds. */
  duration: number
}

/** `,"response":{…}`. */
export function writeResponse(facts: ResponseFacts, changes: ChangeReport): string {
  const { statusCode, error, aborted, duration } = facts
  const isPlain = statusCode !== undefined && error === undefined && !aborted
  return `${isPlain ? (PLAIN_RESPONSES[statusCode] ?? toDuration(statusCode)) : writeOutcome(facts, changes)}${writeDuration(duration)}}`
}

/** The response up to its duration, by status, if only a status stands before the duration. */
const PLAIN_RESPONSES = Array.from({ length: 1000 }, (_, statusCode) => flat(toDuration(statusCode)))

function toDuration(statusCode: number): string {
  return `,"response":{"status_code":${statusCode},"duration_ms":`
}

function writeOutcome({ statusCode, error, aborted }: ResponseFacts, changes: ChangeReport): string {
  const isErrorOmitted = error === undefined || changes.redactor.omits('response.error')
  return (
    ',"response":{' +
    (statusCode === undefined ? '' : `"status_code":${statusCode},`) +
    (isErrorOmitted ? '' : `"error":${writeError(error, 'response.error', changes)},`) +
    (aborted ? '"aborted":true,' : '') +
    '"duration_ms":'
  )
}

/** From none to 999 thousandths, as they follow a whole number. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, count) => (count / 1000).toString().slice(1))

/** Milliseconds, rounded to thousandths: a quarter of what V8 takes to print a fraction. */
export function writeDuration(milliseconds: number): string {
  const thousandths = Math.round(milliseconds * 1000)
  return Math.floor(thousandths / 1000) + (THOUSANDTHS[thousandths % 1000] ?? '')
}

/** The message of an error, without secrets. */
export function writeError(error: string, path: string, changes: ChangeReport): string {
  return quote(changes.redactor.text(error, path, changes), BOUNDS.error, path, changes)
}
