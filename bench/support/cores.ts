import { execFileSync, spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const DRIVER = '0'
const MEASURED = '1'

/**
 * Keeps this process, its threads, and what it starts, on core 0, and leaves core 1 to what is measured. False where
 * there are not two cores or no `taskset`.
 */
export const pinned = pinDriver()

function pinDriver(): boolean {
  if (spawnSync('taskset', ['-c', MEASURED, 'true']).status !== 0) return false
  execFileSync('taskset', ['-a', '-p', '-c', DRIVER, String(process.pid)], { stdio: 'ignore' })
  return true
}

/** The command line that runs Node with these arguments on the core of what is measured. */
export function onMeasuredCore(args: readonly string[]): [command: string, args: string[]] {
  return pinned ? ['taskset', ['-c', MEASURED, process.execPath, ...args]] : [process.execPath, [...args]]
}

/** On what the numbers were measured: the first line of every table. */
export function machine(): string {
  const cores = pinned ? `load on core ${DRIVER}, measured on core ${MEASURED}` : 'not pinned to cores'
  return `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${cores}, Node ${process.version}`
}
