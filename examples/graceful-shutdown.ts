/**
 * A server that ends in order: it answers the requests under way, stores the queue, and ends the trail with its stop
 * entry. Then it sends itself SIGTERM, as a process manager would.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import audit, { auditFrameworkErrors, type TrailEvent } from 'fastify-audit-log'

const directory = mkdtempSync(join(tmpdir(), 'graceful-shutdown-'))
const path = join(directory, 'audit.log')

const app = Fastify({ logger: { level: 'warn' }, frameworkErrors: auditFrameworkErrors() })

// closeTimeout bounds how long a sink that hangs can delay the end. Keep it below the time after which your process
// manager sends SIGKILL: 30 seconds in Kubernetes (terminationGracePeriodSeconds), 10 in Docker.
await app.register(audit, { closeTimeout: '5s', sinks: [{ name: 'audit', type: 'file', path }] })

app.post('/orders', async (_request, reply) => {
  await sleep(50)
  return reply.code(201).send({ number: 1 })
})

let isClosing = false

/** Ends the server once, however often it is called. */
async function shutDown(exitCode: number): Promise<void> {
  if (isClosing) return
  isClosing = true
  process.exitCode = exitCode
  // A connection that was busy when the closing began would be kept alive for 72 seconds after its last reply.
  const sweep = setInterval(() => app.server.closeIdleConnections(), 100)
  try {
    await app.close()
  } catch (error) {
    app.log.error(error, 'the server could not be closed')
    process.exitCode = 1
  } finally {
    clearInterval(sweep)
  }
}

// The plugin installs no such handlers: the application decides how its process ends.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => shutDown(0))
process.on('uncaughtException', (error) => {
  app.log.fatal(error, 'uncaught')
  shutDown(1)
})

// The application ends here. The rest is a client, and the process manager.

const address = await app.listen({ port: 0, host: '127.0.0.1' })
const answer = fetch(`${address}/orders`, { method: 'POST' })
await once(app.server, 'request')
process.kill(process.pid, 'SIGTERM')

const { status } = await answer
await app.close()
console.log(`the client was answered with ${status}`)
showEnd(readFileSync(path, 'utf8'))
rmSync(directory, { recursive: true })

function showEnd(trail: string): void {
  const events: Array<TrailEvent> = trail
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const stages = events.flatMap(({ payload }) =>
    payload.type === 'audit' ? [[payload.stage, payload.response?.status_code].filter(Boolean).join(' ')] : [],
  )
  console.log(`POST /orders: ${stages.join(', ')}`)
  const last = events.at(-1)?.payload
  if (last?.type !== 'stop') throw new Error('the trail does not say that the server stopped')
  const { lost, in_doubt, open } = last.stop
  console.log(`the trail ends with: stop, lost ${lost}, in doubt ${in_doubt}, open ${open}`)
}
