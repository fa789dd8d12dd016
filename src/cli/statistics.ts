import type { TrailExchange } from '../reader/trail-exchange.js'
import { Tally } from './tally.js'
import { Timeline } from './timeline.js'

/** The length of each list in the result. */
export const SHOWN = 10

const UNKNOWN = '(unknown)'
const FIRST_ERROR = 400

/** Sums up requests and actions, in memory that does not grow with their number. */
export class Statistics {
  requests = 0
  /** Actions beside requests. */
  events = 0
  work = 0
  open = 0
  aborted = 0
  corrected = 0
  /** Requests with a status of 400 or more, and actions beside requests with another outcome than success. */
  errors = 0
  /** Times of receipt, or of the record, in milliseconds since the epoch. */
  first = Number.POSITIVE_INFINITY
  last = Number.NEGATIVE_INFINITY
  readonly actors = new Tally()
  /** Counts by operation and route, or by the URL's path if no route is known. */
  readonly endpoints = new Tally()
  readonly statuses = new Tally()
  /** Counts by action, of requests and beside them; as errors, those with another outcome than success. */
  readonly actions = new Tally()
  readonly outcomes = new Tally()
  /** Counts of replies that went on after their outcome was recorded, by how they ended. */
  readonly ends = new Tally()
  readonly messages = new Tally()
  readonly timeline = new Timeline()
  readonly errorTimeline = new Timeline()
  /** The slowest requests, slowest first. */
  readonly slowest: TrailExchange[] = []
  /** The first requests and work that were never completed. */
  readonly neverCompleted: TrailExchange[] = []

  /** The number of everything that was added. */
  get total(): number {
    return this.requests + this.events + this.work
  }

  add(exchange: TrailExchange): void {
    const isError = isFailed(exchange)
    if (isError) this.errors++
    if (exchange.corrected !== undefined) this.corrected++
    if (exchange.open === true) this.addOpen(exchange)
    if (exchange.type === 'action') this.addBeside(exchange, isError)
    else this.addRequest(exchange, isError)
    this.actors.add(exchange.auth?.accessor_id ?? UNKNOWN, isError)
    this.addAction(exchange)
    this.addTime(Date.parse(exchange.timestamp), isError)
  }

  private addRequest(exchange: TrailExchange, isError: boolean): void {
    const { response, open, end } = exchange
    const status = response?.status_code ?? 'none'
    this.requests++
    if (response?.aborted === true) this.aborted++
    if (open !== true) this.statuses.add(String(status), isError)
    this.endpoints.add(endpointOf(exchange), isError)
    if (response?.error !== undefined) this.messages.add(`${status} ${response.error}`, isError)
    if (end !== undefined) this.ends.add(end.how, end.how !== 'closed')
    this.addDuration(exchange)
  }

  private addBeside({ open, completed_at, aborted, action, error }: TrailExchange, isError: boolean): void {
    if (open === true || completed_at !== undefined) this.work++
    else this.events++
    if (aborted === true) this.aborted++
    if (error !== undefined) this.messages.add(`${action} ${error}`, isError)
  }

  private addAction({ action, outcome }: TrailExchange): void {
    const isError = outcome !== undefined && outcome !== 'success'
    if (action !== undefined) this.actions.add(action, isError)
    if (outcome !== undefined) this.outcomes.add(outcome, isError)
  }

  private addOpen(exchange: TrailExchange): void {
    this.open++
    if (this.neverCompleted.length < SHOWN) this.neverCompleted.push(exchange)
  }

  private addTime(time: number, isError: boolean): void {
    this.first = Math.min(this.first, time)
    this.last = Math.max(this.last, time)
    this.timeline.add(time)
    if (isError) this.errorTimeline.add(time)
  }

  private addDuration(exchange: TrailExchange): void {
    const duration = durationOf(exchange)
    if (duration === undefined) return
    const place = this.slowest.findIndex((other) => (durationOf(other) ?? 0) < duration)
    if (place === -1 && this.slowest.length >= SHOWN) return
    this.slowest.splice(place === -1 ? this.slowest.length : place, 0, exchange)
    this.slowest.length = Math.min(this.slowest.length, SHOWN)
  }
}

function isFailed({ type, response, outcome, error }: TrailExchange): boolean {
  if (type === 'action') return outcome === undefined ? error !== undefined : outcome !== 'success'
  return response?.status_code !== undefined && response.status_code >= FIRST_ERROR
}

function durationOf({ response }: TrailExchange): number | undefined {
  return response?.duration_ms
}

function endpointOf({ request }: TrailExchange): string {
  const path = request?.route ?? request?.endpoint?.split('?', 1)[0]
  return path === undefined ? UNKNOWN : `${request?.operation ?? ''} ${path}`
}
