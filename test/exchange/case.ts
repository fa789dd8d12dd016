import type { FastifyInstance, FastifyServerOptions, RouteHandlerMethod, RouteShorthandOptions } from 'fastify'
import type { Reply, WireRequest } from '../support/wire.js'

/** Counts how often a case's handler runs. */
export class Probe {
  runs = 0

  counted(handler: RouteHandlerMethod): RouteHandlerMethod {
    const probe = this
    return function (request, reply) {
      probe.runs++
      return handler.call(this, request, reply)
    }
  }
}

/** One way in which a reply comes about. Without the plugin, the same server is the oracle of what a client sees. */
export interface Case {
  name: string
  request?: WireRequest
  /** The status that is sent, and recorded. */
  status: number
  /** What `response.error` holds; absent when there is none. */
  error?: string
  /** Whether the handler is called; it is, unless this says otherwise. */
  runs?: false
  factory?: FastifyServerOptions
  /** Its bytes leave before any hook of the plugin has run: it can be recorded, and not held. */
  isUnheld?: true
  /** What is registered before the plugin. */
  before?(app: FastifyInstance, probe: Probe): unknown
  /** What is registered after it. */
  declare?(app: FastifyInstance, probe: Probe): unknown
  /** Where Node, `inject` or another plugin does something else without the plugin, too. */
  except?: 'HTTP/2' | 'inject'
  /** What must be in the reply, beside being what it is without the plugin. */
  sees?: (reply: Reply) => boolean
}

/** Declares what a case has before the plugin or after it; `await` would take the instance for a promise, and boot it. */
export async function declared(step: Case['declare'], app: FastifyInstance, probe: Probe): Promise<void> {
  const done = step?.(app, probe)
  if (done instanceof Promise) await done
}

type Declare = (app: FastifyInstance, probe: Probe) => unknown

/** Declares `GET /`, and with it HEAD. */
export function get(handler: RouteHandlerMethod, options: RouteShorthandOptions = {}): Declare {
  return (app, probe) => app.get('/', options, probe.counted(handler))
}

/** Declares `POST /`. */
export function post(handler: RouteHandlerMethod, options: RouteShorthandOptions = {}): Declare {
  return (app, probe) => app.post('/', options, probe.counted(handler))
}

/** Declares what comes first, then `GET /`. */
export function getAfter(prepare: (app: FastifyInstance) => unknown, handler: RouteHandlerMethod): Declare {
  return (app, probe) => {
    prepare(app)
    app.get('/', probe.counted(handler))
  }
}
