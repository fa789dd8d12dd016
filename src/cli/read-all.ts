import type { TrailReading } from '../reader/read-trail.js'
import type { TrailExchange } from '../reader/trail-exchange.js'
import type { Io } from './command.js'
import { noticesOf } from './notices.js'

/**
 * Reads a trail to its end, shows progress, and prints the notices. Resolves with false if a part could not be read.
 */
export async function readAll(
  trail: TrailReading,
  io: Io,
  take: (exchange: TrailExchange) => Promise<void> | void,
): Promise<boolean> {
  const { counts } = trail
  io.progress.start(() => ({ read: counts.bytesRead, total: counts.bytes }))
  let trouble: string | undefined
  try {
    for await (const exchange of trail) {
      const taken = take(exchange)
      if (taken !== undefined) await taken
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'FST_AUDIT_TRAIL_UNREADABLE')) throw error
    trouble = error.message
  } finally {
    io.progress.stop()
  }
  await io.out.flush()
  for (const notice of noticesOf(counts)) io.note(notice)
  if (trouble !== undefined) io.note(trouble)
  return trouble === undefined
}
