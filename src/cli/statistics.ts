import type { TrailExchange } from '../reader/record.js'
import { Tally } from './tally.js'
import { Timeline } from './timeline.js'

/** The length of each list in the result. */
export const SHOWN = 10

const UNKNOWN = '(unknown)'
const FIRST_ERROR = 400

/** Sums up requests, in memory that does not grow with their number. */
export class Statistics {
  requests = 0
  open = 0
  aborted = 0
  corrected = 0
  errors = 0
  /** Times of receipt, in milliseconds since the epoch. */
  first = Number.POSITIVE_INFINITY
  last = Number.NEGATIVE_INFINITY
  readonly actors = new Tally()
  /** Counts by operation and route, or by the URL's path if no route is known. */
  readonly endpoints = new Tally()
  readonly statuses = new Tally()
  readonly messages = new Tally()
  readonly timeline = new Timeline()
  readonly errorTimeline = new Timeline()
  /** The slowest requests, slowest first. */
  readonly slowest: TrailExchange[] = []
  /** The first requests that were never completed. */
  readonly neverCompleted: TrailExchange[] = []

  add(exchange: TrailExchange): void {
    const { response, open, corrected } = exchange
    const status = response?.status_code
    const isError = status !== undefined && status >= FIRST_ERROR
    this.requests++
    if (response?.aborted === true) this.aborted++
    if (corrected !== undefined) this.corrected++
    if (isError) this.errors++
    if (open === true) this.addOpen(exchange)
    else this.statuses.add(String(status ?? 'none'), isError)
    this.actors.add(exchange.auth?.accessor_id ?? UNKNOWN, isError)
    this.endpoints.add(endpointOf(exchange), isError)
    if (response?.error !== undefined) this.messages.add(`${status ?? 'none'} ${response.error}`, isError)
    this.addTime(Date.parse(exchange.timestamp), isError)
    this.addDuration(exchange)
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

function durationOf({ response }: TrailExchange): number | undefined {
  return response?.duration_ms
}

function endpointOf({ request }: TrailExchange): string {
  const path = request?.route ?? request?.endpoint?.split('?', 1)[0]
  return path === undefined ? UNKNOWN : `${request?.operation ?? ''} ${path}`
}
