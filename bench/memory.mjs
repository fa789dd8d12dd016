// @ts-check
/**
 * A server for `bench/memory.ts`, run by plain Node on the published package: `node bench/memory.mjs DIRECTORY NAME`.
 * Says that it is ready, and then answers each message with its port, and with its memory after a garbage collection.
 */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import audit from 'fastify-audit-log'

const [directory = '.', name] = process.argv.slice(2)

setFlagsFromString('--expose-gc')
/** @type {() => void} */
const collect = runInNewContext('gc')

const app = Fastify()
if (name === 'enforced') {
  await app.register(audit, {
    // A million requests write more than a gigabyte.
    sinks: [
      { name: 'audit', type: 'file', path: join(directory, 'audit.log'), rotateBytes: '64MiB', rotateMaxFiles: 2 },
    ],
    filters: [{ name: 'health', endpoints: ['/health*'], stages: ['*'], operations: ['GET'] }],
    identity: () => ({ accessorId: 'a162f017-bcf7-900c-e22a-a2a8cbbcef53', name: 'bench' }),
  })
}
app.get('/v1/jobs', async () => ({ hello: 'world' }))
await app.listen({ port: 0, host: '127.0.0.1' })
const address = app.server.address()
const port = typeof address === 'object' ? address?.port : undefined

process.on('message', () => {
  // Collects twice: the second collection frees what the first one finalizes.
  collect()
  collect()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ port, rss, heapUsed })
})
process.on('disconnect', () => process.exit())
process.send?.({})
