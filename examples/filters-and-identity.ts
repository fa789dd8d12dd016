/** Filters that leave requests out of the trail, and an identity that names their callers. */
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import audit, { type Identity, memorySink } from 'fastify-audit-log'

declare module 'fastify' {
  interface FastifyRequest {
    user: { id: string; name: string; groups: string[] } | null
  }
}

const sink = memorySink()
const app = Fastify()

await app.register(audit, {
  sinks: [{ name: 'memory', sink }],
  filters: [
    // A read changes nothing, and its OperationComplete holds everything its OperationReceived does.
    { name: 'reads', endpoints: ['*'], stages: ['OperationReceived'], operations: ['{GET,HEAD}'] },
    { name: 'probes', endpoints: ['/health', '/ready'], stages: ['*'], operations: ['GET'] },
  ],
  // Asked before the request is processed and again when it is complete: a user who is only known after this app's own
  // authentication is in OperationComplete.
  identity: ({ user }): Identity | undefined =>
    user ? { accessorId: user.id, name: user.name, groups: user.groups, method: 'session' } : undefined,
  namespace: ({ headers }) => (typeof headers['x-tenant'] === 'string' ? headers['x-tenant'] : undefined),
})

app.decorateRequest('user', null)
app.addHook('onRequest', async (request) => {
  if (request.headers.cookie === 'session=1') request.user = { id: 'u-1', name: 'Ada', groups: ['admins'] }
})
app.get('/health', async () => 'ok')
app.get('/jobs', async () => [])
app.post('/jobs', async () => ({ id: '1' }))

const headers = { cookie: 'session=1', 'x-tenant': 'acme' }
await app.inject({ url: '/health' })
await app.inject({ url: '/jobs', headers })
await app.inject({ method: 'POST', url: '/jobs', headers })

const trail = sink.events.map(({ payload: { stage, auth, request } }) =>
  [stage, request.operation, request.endpoint, request.namespace.id, auth.name].join(' '),
)
console.log(trail.join('\n'))
assert.deepEqual(trail, [
  'OperationComplete GET /jobs acme Ada',
  'OperationReceived POST /jobs acme Anonymous Token',
  'OperationComplete POST /jobs acme Ada',
])

await app.close()
