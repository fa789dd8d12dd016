import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import audit, { type FileSinkOptions } from '../../src/index.js'
import { Traffic } from './traffic.js'

export interface Served {
  app: FastifyInstance
  traffic: Traffic
  path: string
  /** What the server logged, one message a line. */
  logged: string[]
  /** The messages of the errors that it logged. */
  errors: string[]
  /** Requests whose handler ran while their Received was in no file. */
  unrecorded: string[]
  /** Whether the handlers look for that; they cannot where this process may not read. */
  isLooking: boolean
  /** Is called by each handler. */
  onWork: (endpoint: string) => void
}

/** A server with an audit file at `path`, which listens until the test is over. */
export async function serve(path: string, options: Partial<FileSinkOptions> = {}): Promise<Served> {
  const logged: string[] = []
  const errors: string[] = []
  const write = (line: string): void => {
    const { msg, err } = JSON.parse(line)
    logged.push(msg)
    if (err !== undefined) errors.push(err.message)
  }
  const app: FastifyInstance = Fastify({ logger: { level: 'info', stream: { write } } })
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'audit', type: 'file', ...options, path }] })
  const unrecorded: string[] = []
  const served = {
    app,
    path,
    logged,
    errors,
    unrecorded,
    isLooking: true,
    onWork: (_endpoint: string): void => undefined,
  }
  app.get('/tasks/:number', async (request) => {
    const endpoint = request.url.split('?')[0] ?? ''
    if (served.isLooking && !isReceived(path, endpoint)) unrecorded.push(endpoint)
    served.onWork(endpoint)
    return {}
  })
  app.get('/ready', { config: { audit: false } }, (_request, reply) =>
    reply.code(app.audit.healthy ? 200 : 503).send({}),
  )
  return Object.assign(served, { traffic: new Traffic(await app.listen({ host: '127.0.0.1', port: 0 })) })
}

/** Whether a file beside `path`, or that one, holds the Received of a request. */
function isReceived(path: string, endpoint: string): boolean {
  const directory = dirname(path)
  const mark = new RegExp(`"OperationReceived".*"endpoint":"${endpoint}["?]`)
  return (existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : [])
    .filter((entry) => entry.isFile() && entry.name.includes('.log'))
    .some(({ name }) => mark.test(readFileSync(join(directory, name), 'utf8')))
}
