/** Emitter of events: a stream, a response, a websocket. */
export interface Emitting {
  emit(event: string, ...args: unknown[]): boolean
}

/** What an application may destroy. */
export interface Destroyable {
  destroy(error?: Error): unknown
}

/**
 * Calls `see` before the listeners of each event. Adds no listener: an application may count them, and Node warns of many.
 */
export function watchEvents(emitter: Emitting, see: (event: string, args: readonly unknown[]) => void): void {
  const { emit } = emitter
  emitter.emit = (event, ...args) => {
    see(event, args)
    return emit.call(emitter, event, ...args)
  }
}

/** Calls `see` before each call that destroys a response. */
export function watchDestroy(response: Destroyable, see: (error: Error | undefined) => void): void {
  const { destroy } = response
  response.destroy = (error) => {
    see(error)
    return destroy.call(response, error)
  }
}
