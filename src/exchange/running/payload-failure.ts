import { messageOf } from '../../event/error-message.js'
import { call } from '../gate/gate.js'

/** Returns the error that destroyed a stream of Node; undefined for anything else. */
export function errorOf(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null) return undefined
  try {
    return Reflect.get(payload, 'errored') ?? undefined
  } catch {
    // A payload of the application's own kind may have any getters.
    return undefined
  }
}

/** Calls `note` with the message of the error that ends a web stream: only its reader knows it, and Fastify has that. */
export function onWebFailure(payload: object, note: (message: string) => void): void {
  const stream = webStreamOf(payload)
  if (stream === null) return
  const getReader: unknown = Reflect.get(stream, 'getReader')
  Reflect.set(stream, 'getReader', (...args: unknown[]) => {
    const reader = call(getReader, stream, args)
    if (reader instanceof ReadableStreamDefaultReader) reader.closed.catch((error) => note(messageOf(error)))
    return reader
  })
}

/** Looks at names instead of classes: naming a class of the web would load it into a process that uses none. */
function webStreamOf(payload: object): object | null {
  try {
    const body: unknown = tagOf(payload) === '[object Response]' ? Reflect.get(payload, 'body') : payload
    return tagOf(body) === '[object ReadableStream]' ? Object(body) : null
  } catch {
    return null
  }
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value)
}
