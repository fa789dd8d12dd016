import awsLambda from '@fastify/aws-lambda'
import Fastify, { type FastifyInstance } from 'fastify'
import { itIsTheSame, type Subject } from './support/compare.js'
import { declareRoutes, REQUESTS } from './support/routes.js'
import type { Seen } from './support/seen.js'

/** Calls the function as API Gateway does; there is no socket. */
async function invoke(app: FastifyInstance): Promise<Seen[]> {
  const handler = awsLambda(app)
  const seen: Seen[] = []
  for (const [index, { method = 'GET', url = '/', headers = {}, body = null }] of REQUESTS.entries()) {
    const event = { httpMethod: method, path: url, headers, body, queryStringParameters: null }
    const { statusCode, ...rest } = await handler(event, {})
    seen.push({ name: `${index} ${method} ${url}`, status: statusCode, bytes: JSON.stringify(rest, null, 1) })
  }
  return seen
}

const subject: Subject = {
  async build(registerAudit, note, logger) {
    const app = Fastify({ logger })
    await registerAudit(app)
    declareRoutes(app, note)
    return app
  },
  ask: invoke,
  normalise: [[/"date": ".*"/g, '"date": "(date)"']],
}

itIsTheSame('@fastify/aws-lambda', subject)
