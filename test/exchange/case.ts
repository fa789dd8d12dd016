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

/** One way to produce a reply. The same server without the plugin says what a client must see. */
export interface Case {
  name: string
  request?: WireRequest
  /** Status that is sent and recorded. */
  status: number
  /** Value of `response.error`; absent if there is none. */
  error?: string
  /** False if the handler is not called. */
  runs?: false
  factory?: FastifyServerOptions
  /** True if its bytes are sent before any hook of the plugin runs: it is recorded, but cannot be held. */
  isUnheld?: true
  /** Registers hooks before the plugin. */
  before?(app: FastifyInstance, probe: Probe): unknown
  /** Registers hooks and routes after the plugin. */
  declare?(app: FastifyInstance, probe: Probe): unknown
  /** Exceptions, for cells in which Node, `inject` or another plugin behaves differently even without the plugin. */
  except?: 'HTTP/2' | 'inject'
  /** Checks the reply further, which must also equal that without the plugin. */
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

/** Runs the given declarations first, then declares `GET /`. */
export function getAfter(prepare: (app: FastifyInstance) => unknown, handler: RouteHandlerMethod): Declare {
  return (app, probe) => {
    prepare(app)
    app.get('/', probe.counted(handler))
  }
}
