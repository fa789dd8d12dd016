import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { EventAction } from '../../src/event/action.js'
import { rancherLine } from '../../src/event/formats/rancher.js'
import { readTrail, type TrailExchange, type TrailQuery, type TrailReading } from '../../src/index.js'

export const START = Date.parse('2026-03-24T17:00:00.000Z')
export const SECOND = 1000

/** A directory of its own, removed afterwards. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-reading-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** An exchange as a test makes it up. */
export interface Made {
  id: string
  /** Seconds after `START`. */
  received: number
  completed?: number
  accessor?: string
  name?: string
  operation?: string
  endpoint?: string
  route?: string
  namespace?: string
  status?: number
  error?: string
  duration?: number
  annotations?: Record<string, string | number>
  /** The members of an action, in both records. */
  action?: EventAction
  correction?: { status_code: number; error?: string }
}

/** A UUID for a number. */
export function idOf(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
}

export function timeOf(seconds: number): string {
  return new Date(START + seconds * SECOND).toISOString()
}

/** The lines of an exchange in a format, in their order. */
export function linesOf(made: Made, format: 'json' | 'rancher' = 'json'): string[] {
  return format === 'json' ? jsonLines(made) : rancherLinesOf(made)
}

export function receivedLine(made: Made): string {
  return line(made.received, { ...common(made), stage: 'OperationReceived' })
}

export function completeLine(made: Made): string {
  const { status, error, duration = 1.5, annotations, completed = made.received } = made
  const response = { status_code: status, error, duration_ms: duration }
  return line(completed, { ...common(made), stage: 'OperationComplete', response, annotations })
}

export function correctionLine({ id, received, correction }: Made): string {
  const timestamp = timeOf(received)
  return line(received, { id, type: 'correction', timestamp, version: 1, correction })
}

export function gapLine(lost: number, inDoubt: number): string {
  const gap = { lost, in_doubt: inDoubt, from: 1, to: 2 }
  return line(0, { id: idOf(0), type: 'gap', timestamp: timeOf(0), version: 1, gap })
}

/** An action beside requests as a test makes it up: an event, or work. */
export interface MadeAction {
  id: string
  /** Seconds after `START`. */
  at: number
  /** Of work: also when it ended, if it did. */
  ended?: number
  action?: string
  actor?: string
  namespace?: string
  /** Other members of the payload; of work, of its second record alone. */
  more?: object
}

export function eventLine(made: MadeAction): string {
  return line(made.at, { ...actionMembers(made), ...made.more })
}

/** Both records of work, or the first alone if it has not ended. */
export function workLines(made: MadeAction): string[] {
  const members = actionMembers(made)
  const begun = line(made.at, { ...members, stage: 'OperationReceived' })
  if (made.ended === undefined) return [begun]
  const duration_ms = (made.ended - made.at) * SECOND
  return [begun, line(made.ended, { ...members, stage: 'OperationComplete', duration_ms, ...made.more })]
}

function actionMembers({
  id,
  at,
  action = 'invoice.refund',
  actor = 'job',
  namespace = 'default',
}: MadeAction): object {
  const auth = { accessor_id: actor }
  return { id, type: 'action', timestamp: timeOf(at), version: 1, auth, namespace: { id: namespace }, action }
}

/** The lines of format `json`, as format `rancher` writes them. */
export function inRancher(lines: readonly string[]): string[] {
  return lines.map((each) => rancherLine(JSON.parse(each)))
}

export function endLine(id: string, seconds: number, end: object = {}): string {
  const content = { how: 'closed', duration_ms: seconds * SECOND, ...end }
  return line(seconds, { id, type: 'end', timestamp: timeOf(seconds), version: 1, end: content })
}

/** A correction of work. */
export function workCorrectionLine(id: string, error: string): string {
  return line(9, { id, type: 'correction', timestamp: timeOf(9), version: 1, correction: { error } })
}

/** Puts lines into a file. */
export function write(path: string, lines: readonly string[]): string {
  writeFileSync(path, lines.map((each) => `${each}\n`).join(''))
  return path
}

/** A trail of these lines, in a directory of its own. */
export function trailOf(lines: readonly string[]): string {
  return write(join(temporaryDirectory(), 'audit.log'), lines)
}

/** All exchanges of a reading. */
export async function all(reading: TrailReading): Promise<TrailExchange[]> {
  const exchanges: TrailExchange[] = []
  for await (const exchange of reading) exchanges.push(exchange)
  return exchanges
}

/** The ids of the exchanges that are found. */
export async function found(paths: string | readonly string[], query?: TrailQuery): Promise<string[]> {
  return (await all(readTrail(paths, query))).map(({ id }) => id)
}

function jsonLines(made: Made): string[] {
  return [
    receivedLine(made),
    ...(made.completed === undefined ? [] : [completeLine(made)]),
    ...(made.correction === undefined ? [] : [correctionLine(made)]),
  ]
}

function common(made: Made): object {
  const { id, received, accessor = 'u-1', name, operation = 'GET', endpoint = '/', route, namespace = 'default' } = made
  return {
    id,
    type: 'audit',
    timestamp: timeOf(received),
    version: 1,
    auth: { accessor_id: accessor, name },
    request: {
      id: 'req-1',
      operation,
      endpoint,
      route,
      namespace: { id: namespace },
      request_meta: { remote_address: '127.0.0.1:1' },
      node_meta: {},
    },
    ...made.action,
  }
}

function line(seconds: number, payload: object): string {
  return JSON.stringify({ created_at: timeOf(seconds), event_type: 'audit', instance: 'i', seq: 1, payload })
}

export function rancherLinesOf(made: Made): string[] {
  const { id, received, completed, accessor = 'u-1', operation = 'GET', endpoint = '/', status = 0, correction } = made
  const user = { name: accessor, group: [] }
  const time = rancherTime(received)
  const asked = { auditID: id, requestURI: endpoint, sourceIPs: ['::1'], user, verb: operation }
  const lines: object[] = [{ ...asked, stage: 'RequestReceived', stageTimestamp: time }]
  if (completed !== undefined) {
    lines.push({
      auditID: id,
      responseStatus: String(status),
      stage: 'ResponseComplete',
      stageTimestamp: rancherTime(completed),
    })
  }
  if (correction !== undefined) lines.push({ auditID: id, stage: 'correction', stageTimestamp: time, correction })
  return lines.map((each) => JSON.stringify(each))
}

function rancherTime(seconds: number): string {
  const time = timeOf(seconds)
  return `${time.slice(0, 10)} ${time.slice(11, 19)} +0000`
}
