import type { Stage } from '../event/event.js'

/** The bit of exclusions that stands for `OperationReceived`. */
export const EXCLUDES_RECEIVED = 1

/** The bit of exclusions that stands for `OperationComplete`, and for a record that has no stage. */
export const EXCLUDES_COMPLETE = 2

export const EXCLUDES_BOTH = EXCLUDES_RECEIVED | EXCLUDES_COMPLETE

/** The bits of the stages that a filter names. */
export function stageMask(stages: readonly (Stage | '*')[]): number {
  let mask = 0
  for (const stage of stages) {
    if (stage !== 'OperationComplete') mask |= EXCLUDES_RECEIVED
    if (stage !== 'OperationReceived') mask |= EXCLUDES_COMPLETE
  }
  return mask
}
