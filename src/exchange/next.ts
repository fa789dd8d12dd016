/** Callback that Fastify passes to a hook. */
export type Next = (error?: Error) => void

/**
 * Continues after a hook. Passes a thrown error to `next`, as Fastify does for a hook that does not wait. Returns an
 * error that is thrown again, which would otherwise be an uncaught exception and end the process.
 */
export function proceed(next: Next): Error | null {
  try {
    next()
    return null
  } catch (error) {
    try {
      next(asError(error))
      return null
    } catch (again) {
      return asError(again)
    }
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
