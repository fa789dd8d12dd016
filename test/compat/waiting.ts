import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

// Tests replace the timers.
const later = setImmediate

/**
 * Hooks of the audit's kind that do nothing but wait: what differs with these is the nature of any plugin that stores
 * something before a request goes on.
 */
export const waiting = fp(async (app: FastifyInstance) => {
  app.addHook('onRequest', (_request, _reply, done) => void later(done))
  app.addHook('preValidation', (_request, _reply, done) => void later(done))
  app.addHook('preHandler', (_request, _reply, done) => void later(done))
  // The audit waits at the bare response instead: a hook that waits here breaks hundreds of tests, and it must not.
  app.addHook('onSend', (_request, _reply, _payload, done) => done())
})
