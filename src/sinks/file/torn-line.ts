import { basename } from 'node:path'
import type { LifecycleDetails } from '../../event/event.js'
import type { LockParts } from './lock.js'
import { setAside } from './tail.js'

/** Sets aside what an open file holds from `from` to `to`, before it is cut off, and says so in the log. */
export async function setAsideTorn(
  torn: LockParts & { readonly path: string; readonly mode: number; readonly fsync: boolean },
  fd: number,
  from: number,
  to: number,
): Promise<LifecycleDetails['torn']> {
  const { fs, clock, log, path } = torn
  const copy = await setAside(fs, fd, from, to, { ...torn, now: clock.now() })
  const bytes = to - from
  const details = { path, bytes, copy }
  if (copy === undefined) {
    log.error(details, 'the audit file ended in a torn line, which was cut off: there was no room to keep it')
    return { bytes }
  }
  log.warn(details, 'the audit file ended in a torn line, which was set aside')
  return { bytes, set_aside: basename(copy) }
}
