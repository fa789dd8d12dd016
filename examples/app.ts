/** A small app with an audit trail. Its tests, in `testing-your-app.test.ts`, pass a sink that they can read. */
import Fastify, { type FastifyInstance } from 'fastify'
import audit, { type SinkOptions } from 'fastify-audit-log'

/** The app's settings: a file in production, a `memorySink()` in tests. */
export interface AppOptions {
  auditSinks?: SinkOptions[]
}

const sessions: Record<string, string> = { 'session-of-ada': 'ada' }

export async function buildApp({ auditSinks }: AppOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  const orders = new Map<string, string>()

  await app.register(audit, {
    ...(auditSinks !== undefined && { sinks: auditSinks }),
    identity: ({ headers }) => {
      const user = sessions[String(headers['x-session'])]
      return user === undefined ? undefined : { accessorId: user }
    },
  })

  app.get('/health', { config: { audit: false } }, async () => 'ok')

  const place = { config: { audit: { action: 'order.place' } } }
  app.post<{ Body: { item: string } }>('/orders', place, async (request, reply) => {
    const number = String(orders.size + 1)
    orders.set(number, request.body.item)
    request.audit.target({ type: 'order', id: number })
    request.audit.annotate({ item: request.body.item })
    return reply.code(201).send({ number })
  })

  app.get<{ Params: { number: string } }>('/orders/:number', async (request, reply) => {
    const item = orders.get(request.params.number)
    if (item === undefined) return reply.code(404).send({ message: 'No such order' })
    return { item }
  })

  return app
}
