import { Console } from 'node:console'
import type { SinkLogger } from '../logger.js'

/** Returns a logger that writes warnings and errors to standard error. Standard output belongs to the program. */
export function stderrLog(): SinkLogger {
  // A closed standard error must not end the program.
  const { error } = new Console({ stdout: process.stderr, stderr: process.stderr, ignoreErrors: true })
  const write = (details: object, message: string): void => {
    if (Object.keys(details).length === 0) error(message)
    else error(message, details)
  }
  return { info: () => undefined, warn: write, error: write }
}
