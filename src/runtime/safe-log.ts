import { messageOf } from '../event/error-message.js'
import type { SinkLogger } from '../logger.js'

/**
 * Wraps a logger so that it never throws. The application's serializers, and getters of logged errors, run inside it;
 * during a request or in a timer, their exception would end the process.
 */
export function safeLogger(log: SinkLogger): SinkLogger {
  const line = (level: keyof SinkLogger) => (details: object, message: string) => {
    if (attempt(() => log[level](details, message))) return
    const err: unknown = Reflect.get(details, 'err')
    // Log only the error's message if the details cannot be logged; if that fails too, nothing can be reported.
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
