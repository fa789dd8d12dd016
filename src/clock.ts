/** Where the time comes from; tests inject their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. May jump when the system's clock is set. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
