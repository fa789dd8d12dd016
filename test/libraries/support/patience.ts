import { turns } from '../../support/staged-sink.js'

/**
 * How long something that ought to happen at once is waited for, so that its absence is shown and not timed out; far
 * longer than anything takes on a busy machine.
 */
export const PATIENCE_MS = 30_000

/** Whether something came true; the event loop turns meanwhile. */
export async function comesTrue(holds: () => boolean): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS
  while (!holds() && performance.now() < end) await turns(1)
  return holds()
}

/** Whether a promise was resolved in time. */
export async function resolves(promise: Promise<unknown>): Promise<boolean> {
  let isResolved = false
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS)
  })
  await Promise.race([
    promise.then(() => {
      isResolved = true
    }),
    late,
  ])
  clearTimeout(timer)
  return isResolved
}
