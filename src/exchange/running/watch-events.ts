import { call } from '../gate/gate.js'

/** Emitter of events: a stream, a response, a websocket. */
export interface Emitting {
  emit(event: string, ...args: unknown[]): boolean
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

/** Calls `see` before each call of a method. */
export function watchCalls(object: object, name: string, see: (args: readonly unknown[]) => void): void {
  const method: unknown = Reflect.get(object, name)
  Reflect.set(object, name, (...args: unknown[]) => {
    see(args)
    return call(method, object, args)
  })
}
