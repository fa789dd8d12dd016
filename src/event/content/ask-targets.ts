import type { Misuse } from '../misuse.js'
import { isThenable } from '../thenable.js'
import { targetList } from './target-list.js'

/** Asks the application for the targets of a request. */
export type AskTargets = () => unknown

/**
 * Returns the targets that the application's function gives: none if it throws, or gives anything but a target or a
 * list of them. `misuse` counts that, unless it is asked again.
 */
export function askTargets(ask: AskTargets, misuse: Misuse | null): readonly unknown[] {
  try {
    const targets = ask()
    refusePromise(targets)
    return targetList(targets)
  } catch (error) {
    misuse?.note('the `targets` function of a route failed: its targets are not recorded', error)
    return []
  }
}

/** Refuses a promise, which comes too late to be recorded. Catches its rejection, which would end the process. */
function refusePromise(value: unknown): void {
  if (!isThenable(value)) return
  Promise.resolve(value).then(undefined, () => undefined)
  throw new TypeError('it returned a promise; it must be synchronous')
}
