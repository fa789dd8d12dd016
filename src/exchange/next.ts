/** What Fastify gives a hook to go on with. */
export type Next = (error?: Error) => void

/**
 * Goes on where a hook waited: what is thrown there is the hook's error, as it is of a hook that waits for nothing.
 * Returns what is thrown once more, which would otherwise reach nobody but the process.
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
