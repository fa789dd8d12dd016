import type { SinkLogger } from '../../logger.js'

/** Runs a clean-up whose failure must not hide what it cleans up after; it is logged. */
export async function cleanUp(log: SinkLogger, path: string, call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (error) {
    log.warn({ err: error, path }, 'cleaning up beside the audit file failed')
  }
}
