import type { FastifyInstance } from 'fastify'
import audit from 'fastify-audit-log'
import fp from 'fastify-plugin'

async function auditTrail(server: FastifyInstance): Promise<void> {
  const path = process.env.AUDIT_FILE ?? './data/audit/audit.log'
  await server.register(audit, { sinks: [{ name: 'audit', type: 'file', path }] })
}

export default fp(auditTrail)
