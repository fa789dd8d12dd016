import { setTimeout as sleepNow } from 'node:timers/promises'

// The timers that there are when the module is loaded. Tests put mocks in the place of the globals, and of what
// `node:timers` exports: a record that waits for one of those is stored when the test says so, if ever.

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis

export const { nextTick } = process

export const RealDate = Date

/** Waits for so many milliseconds. */
export const sleep = sleepNow

/** Milliseconds since the process started; never goes back. */
export const monotonicNow = performance.now.bind(performance)
