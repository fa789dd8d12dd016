import { execFileSync, spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const DRIVER = '0'
const MEASURED = '1'

/**
 * Pins this process, its threads and its children to core 0, and leaves core 1 to the contender. Returns false without
 * two cores or `taskset`.
 */
export const pinned = pinDriver()

function pinDriver(): boolean {
  if (spawnSync('taskset', ['-c', MEASURED, 'true']).status !== 0) return false
  execFileSync('taskset', ['-a', '-p', '-c', DRIVER, String(process.pid)], { stdio: 'ignore' })
  return true
}

/** Returns the command line that runs Node with these arguments on the measured core. */
export function onMeasuredCore(args: readonly string[]): [command: string, args: string[]] {
  return pinned ? ['taskset', ['-c', MEASURED, process.execPath, ...args]] : [process.execPath, [...args]]
}

/** Describes the machine: the first line of every table. */
export function machine(): string {
  const cores = pinned ? `load on core ${DRIVER}, measured on core ${MEASURED}` : 'not pinned to cores'
  return `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${cores}, Node ${process.version}`
}
