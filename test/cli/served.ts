import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import audit from '../../src/index.js'
import { temporaryDirectory } from '../reader/made.js'
import { StagedSink } from '../support/staged-sink.js'

/** A reply that a client received. */
export interface Reply {
  id: string
  status: number
}

export interface Served {
  directory: string
  path: string
  /** In the order of the requests. */
  replies: Reply[]
}

/** A server that writes to a file and rotates it every few requests; the test controls another sink. */
export async function server(
  path: string,
  format: 'json' | 'rancher',
  other: StagedSink,
  rotateBytes = '2KiB',
): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(audit, {
    sinks: [
      { name: 'file', type: 'file', path, format, rotateBytes },
      { name: 'other', sink: other },
    ],
    identity: ({ headers }) =>
      headers['x-user'] === 'u-2' ? { accessorId: 'u-2', name: 'Bob' } : { accessorId: 'u-1' },
    namespace: ({ headers }) => (headers['x-team'] === undefined ? 'default' : 'team'),
    auditIdHeader: 'x-audit-id',
  })
  app.get('/v1/jobs/:name', async () => 'ok')
  app.delete('/v1/jobs', async (_, reply) => reply.code(403).send({ message: 'denied' }))
  app.post('/v1/orders', async (request) => {
    request.audit.annotate({ order: '42' })
    return 'ok'
  })
  return app
}

/** The trail of a server that has answered fifteen requests, one of them with another status than it had recorded. */
export async function served(format: 'json' | 'rancher'): Promise<Served> {
  const directory = temporaryDirectory()
  const path = join(directory, 'audit.log')
  const other = new StagedSink()
  const app = await server(path, format, other)
  const replies: Reply[] = []
  const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Record<string, string> = {}) => {
    const { statusCode, headers: replied } = await app.inject({ method, url, headers })
    replies.push({ id: String(replied['x-audit-id']), status: statusCode })
  }
  for (let number = 0; number < 10; number++) await ask('GET', `/v1/jobs/job-${number}`)
  await ask('DELETE', '/v1/jobs', { 'x-user': 'u-2' })
  await ask('POST', '/v1/orders', { 'x-user': 'u-2' })
  await ask('GET', '/missing', { 'x-user': 'u-2', 'x-team': 'yes' })
  other.complete = 'fails'
  await ask('POST', '/v1/orders', { 'x-user': 'u-2' })
  other.recover()
  await ask('POST', '/v1/orders?again=1', { 'x-user': 'u-3' })
  await app.close()
  return { directory, path, replies }
}
