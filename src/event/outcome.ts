import type { Outcome } from './action.js'

/** Returns how a request ended by its status; 401 and 403 say that the actor was not allowed to do it. */
export function outcomeOfStatus(statusCode: number | undefined): Outcome | undefined {
  if (statusCode === undefined) return undefined
  if (statusCode === 401 || statusCode === 403) return 'denied'
  return statusCode >= 400 ? 'failure' : 'success'
}
