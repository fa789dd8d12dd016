import type { Clock } from '../../src/clock.js'

// Stands for src/clock.ts in tests that move time by hand, by
// `vi.mock('../src/clock.js', () => import('./support/current-clock.js'))`: the globals as they are at each call.

export const setImmediate = (...args: Parameters<typeof globalThis.setImmediate>) => globalThis.setImmediate(...args)

export const setTimeout = (...args: Parameters<typeof globalThis.setTimeout>) => globalThis.setTimeout(...args)
export const clearTimeout = (timer: NodeJS.Timeout | undefined) => globalThis.clearTimeout(timer)
export const setInterval = (...args: Parameters<typeof globalThis.setInterval>) => globalThis.setInterval(...args)
export const clearInterval = (timer: NodeJS.Timeout | undefined) => globalThis.clearInterval(timer)
export const monotonicNow = () => performance.now()
export const sleep = (milliseconds: number) => new Promise((resolve) => globalThis.setTimeout(resolve, milliseconds))
export const nextTick = (...args: Parameters<typeof process.nextTick>) => process.nextTick(...args)
export const RealDate = Date

export const systemClock: Clock = { now: () => Date.now(), monotonic: monotonicNow }
export const toIsoTime = (milliseconds: number) => new Date(milliseconds).toISOString()
