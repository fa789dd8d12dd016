import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

// Tests replace the timers.
const immediately = setImmediate
const after = setTimeout

/** How long a sink takes that answers later, in milliseconds. */
export const LATER = 2

type Wait = (done: () => void) => void

/**
 * Hooks of the audit's kind that do nothing but wait: what differs with these is the nature of any plugin that stores
 * something before a request goes on.
 */
export const waiting = hooksThat((done) => void immediately(done))

/** The same, as long as the two records of a request take with a sink that answers later. */
export const waitingLonger = hooksThat((done) => void after(done, LATER))

function hooksThat(wait: Wait) {
  return fp(async (app: FastifyInstance) => {
    app.addHook('onRequest', (_request, _reply, done) => wait(done))
    app.addHook('preValidation', (_request, _reply, done) => void immediately(done))
    app.addHook('preHandler', (_request, _reply, done) => wait(done))
    // The audit waits at the bare response instead: a hook that waits here breaks hundreds of tests, and it must not.
    app.addHook('onSend', (_request, _reply, _payload, done) => done())
  })
}
