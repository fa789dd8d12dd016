import cluster from 'node:cluster'
import Fastify from 'fastify'
import audit from '../../src/index.js'

// A worker of a cluster, with an audit file of its own; any message stops it.

const app = Fastify()
const path = process.env.AUDIT_PATH ?? ''
await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, rotateBytes: 20_000 }] })
app.get('/tasks/:number', async () => ({}))
await app.listen({ port: 0, host: '127.0.0.1' })
process.once('message', async () => {
  await app.close()
  cluster.worker?.disconnect()
})
