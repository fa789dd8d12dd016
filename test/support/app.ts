import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { onTestFinished } from 'vitest'
import audit, { type AuditOptions, type MemorySink, memorySink } from '../../src/index.js'
import { validateLine } from './schema.js'

export interface Audited {
  app: FastifyInstance
  sink: MemorySink
  /** The server's log lines from `warn` on, as objects. */
  logged: Array<Record<string, unknown>>
}

interface Setup {
  factory?: FastifyServerOptions
  options?: Omit<AuditOptions, 'sinks'>
  sink?: MemorySink
}

/** A server with one memory sink whose every line is valid when the test is over. */
export async function audited({ factory, options, sink = memorySink() }: Setup = {}): Promise<Audited> {
  const logged: Audited['logged'] = []
  const logger = { level: 'warn', stream: { write: (line: string) => void logged.push(JSON.parse(line)) } }
  const app: FastifyInstance = Fastify({ logger, ...factory })
  onTestFinished(async () => {
    await app.close()
    for (const line of sink.lines) validateLine(line)
  })
  await app.register(audit, { closeTimeout: '1s', ...options, sinks: [{ name: 'memory', sink }] })
  return { app, sink, logged }
}

/** Has the server listen on a port of 127.0.0.1. */
export async function portOf(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return address.port
}
