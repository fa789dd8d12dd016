import { messageOf } from '../event/error-message.js'
import type { SinkLogger } from '../logger.js'

/**
 * A logger that never throws. Serializers of the application run in it, and getters of the errors that it is given; on
 * the way of a request, or in a timer, their exception would end the process.
 */
export function safeLogger(log: SinkLogger): SinkLogger {
  const line = (level: keyof SinkLogger) => (details: object, message: string) => {
    if (attempt(() => log[level](details, message))) return
    const err: unknown = Reflect.get(details, 'err')
    // What cannot be logged whole is logged by its message; where that fails, there is nowhere to say so.
    attempt(() => log[level](err === undefined ? {} : { reason: messageOf(err) }, message))
  }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

function attempt(call: () => void): boolean {
  try {
    call()
    return true
  } catch {
    return false
  }
}
