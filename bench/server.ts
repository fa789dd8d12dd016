/**
 * One contender of the comparison: `tsx bench/server.ts NAME DIRECTORY`. Tells its port, then answers each message
 * with the CPU time that the process has used, in microseconds.
 */
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import audit, { type AuditOptions, streamSink } from 'fastify-audit-log'
import { destination } from 'pino'
import { createStream } from 'rotating-file-stream'

const [name = 'bare', directory = '.'] = process.argv.slice(2)

/** What every audited contender does beside storing: a filter, an identity, and the redaction that is always on. */
const AUDIT: AuditOptions = {
  filters: [{ name: 'health', endpoints: ['/health*'], stages: ['*'], operations: ['GET'] }],
  identity: () => ({ accessorId: 'a162f017-bcf7-900c-e22a-a2a8cbbcef53', name: 'bench' }),
}

const file = (options: object): AuditOptions => ({
  ...AUDIT,
  sinks: [{ name: 'audit', type: 'file', path: join(directory, `${name}.log`), ...options }],
})

const CONTENDERS: Record<string, () => Promise<FastifyInstance>> = {
  bare: async () => Fastify(),
  'bare again': async () => Fastify(),
  pino: async () => Fastify({ logger: { stream: destination(join(directory, 'pino.log')) } }),
  enforced: () => audited(file({})),
  'best-effort': () => audited(file({ deliveryGuarantee: 'best-effort' })),
  sealed: () => audited(file({ seal: true })),
  'sealed by secret': () => audited(file({ seal: { secret: 's'.repeat(32) } })),
  rancher: () => audited(file({ format: 'rancher' })),
  'bare, bodies': async () => Fastify(),
  'metadata, bodies': () => audited(file({})),
  'request, bodies': () => audited({ ...file({}), level: 'request' }),
  'response, bodies': () => audited({ ...file({}), level: 'response' }),
  'rancher response, bodies': () => audited({ ...file({ format: 'rancher' }), level: 'response' }),
  'enforced fsync': () => audited(file({ fsync: true })),
  'rotating-file-stream': () => {
    const stream = createStream('rfs.log', { path: directory })
    return audited({ ...AUDIT, sinks: [{ name: 'rfs', deliveryGuarantee: 'best-effort', sink: streamSink(stream) }] })
  },
}

async function audited(options: AuditOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(audit, options)
  return app
}

const make = CONTENDERS[name]
if (make === undefined)
  throw new Error(`no contender is called ${name}; there are ${Object.keys(CONTENDERS).join(', ')}`)
const app = await make()
app.get('/v1/jobs', async () => ({ hello: 'world' }))
app.post('/v1/jobs', async (request) => request.body)
await app.listen({ port: 0, host: '127.0.0.1' })
const address = app.server.address()
process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
