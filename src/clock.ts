import { setTimeout as sleepNow } from 'node:timers/promises'

// Keeps the timers and the `Date` of the time when the module is loaded. Users' tests replace the globals, and the exports
// of `node:timers`, by mocks: a record that waits for a mock is stored when the test says so, if ever.

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis

export const { nextTick } = process

export const RealDate = Date

/** Waits for a number of milliseconds. */
export const sleep = sleepNow

/** Milliseconds since the process started; never goes back. */
export const monotonicNow = performance.now.bind(performance)

/** Where the time comes from; tests inject their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. May jump when the system's clock is set. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number
}

/** The end of the year 9999: a timestamp has four digits for the year. */
const LATEST = 253_402_300_799_999

const { now: realNow } = RealDate

/**
 * The system's clock. A test that sets the `Date` finds its time in the records, as if the system's clock had been set.
 * What a mock gives that is not a time is not used.
 */
export const systemClock: Clock = {
  now: () => {
    const now: unknown = typeof Date.now === 'function' ? Date.now() : undefined
    return typeof now === 'number' && now >= 0 && now <= LATEST ? now : realNow()
  },
  monotonic: monotonicNow,
}

/** RFC 3339 in UTC with milliseconds. */
export function toIsoTime(milliseconds: number): string {
  return new RealDate(milliseconds).toISOString()
}
