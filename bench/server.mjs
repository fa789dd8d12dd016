// @ts-check
/**
 * One contender of the comparison, run by plain Node on the published package: `node bench/server.mjs NAME`.
 * Sends its port, then answers `cpu` with its CPU time in microseconds, and `empty` after it has emptied its log. Its files are in a directory of its own, which it removes when it ends.
 */
import { createWriteStream, existsSync, mkdtempSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { streamSink } from 'fastify-audit-log'
import morgan from 'morgan'
import pino from 'pino'
import { pinoHttp } from 'pino-http'
import { createStream } from 'rotating-file-stream'

const [name = ''] = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'audit-bench-'))
process.on('exit', () => rmSync(directory, { recursive: true }))
// Ignores the interrupt, which the driver gets too; `disconnect` below follows.
process.on('SIGINT', () => {})
const path = join(directory, 'requests.log')

/**
 * The options of every audited contender: a filter, an identity, and the redaction that is always on.
 *
 * @type {import('fastify-audit-log').AuditOptions}
 */
const AUDIT = {
  filters: [{ name: 'health', endpoints: ['/health*'], stages: ['*'], operations: ['GET'] }],
  identity: () => ({ accessorId: 'a162f017-bcf7-900c-e22a-a2a8cbbcef53', name: 'bench' }),
}

/** @type {Record<string, () => import('fastify').FastifyInstance | Promise<import('fastify').FastifyInstance>>} */
const CONTENDERS = {
  bare: () => Fastify(),
  'bare again': () => Fastify(),
  'pino sync': () => Fastify({ logger: { stream: pino.destination({ dest: path, sync: true }) } }),
  'pino async': () => Fastify({ logger: { stream: pino.destination({ dest: path, sync: false, minLength: 4096 }) } }),
  'pino-http': () => behind(pinoHttp({ stream: pino.destination({ dest: path, sync: true }) })),
  morgan: () => behind(morgan('combined', { stream: createWriteStream(path, { flags: 'a' }) })),
  enforced: () => audited(file({})),
  'best-effort': () => audited(file({ deliveryGuarantee: 'best-effort' })),
  'enforced fsync': () => audited(file({ fsync: true })),
  rancher: () => audited(file({ format: 'rancher' })),
  sealed: () => audited(file({ seal: true })),
  'sealed by secret': () => audited(file({ seal: { secret: 's'.repeat(32) } })),
  'rotating-file-stream': () => {
    const sink = streamSink(createStream('requests.log', { path: directory }))
    return audited({ sinks: [{ name: 'audit', deliveryGuarantee: 'best-effort', sink }] })
  },
  'bare, bodies': () => Fastify(),
  'bare again, bodies': () => Fastify(),
  'metadata, bodies': () => audited(file({})),
  'request, bodies': () => audited({ ...file({}), level: 'request' }),
  'response, bodies': () => audited({ ...file({}), level: 'response' }),
  'rancher response, bodies': () => audited({ ...file({ format: 'rancher' }), level: 'response' }),
}

let isFileSink = false
/** @returns {import('fastify-audit-log').AuditOptions} */
function file(/** @type {object} */ options) {
  isFileSink = true
  return { sinks: [{ name: 'audit', type: 'file', path, ...options }] }
}

async function audited(/** @type {import('fastify-audit-log').AuditOptions} */ options) {
  const app = Fastify()
  await app.register(audit, { ...AUDIT, ...options })
  return app
}

/**
 * A logger made for Express or plain `node:http`, before everything else.
 *
 * @param {(request: import('http').IncomingMessage, response: import('http').ServerResponse, next: () => void) => void} logger
 */
function behind(logger) {
  const app = Fastify()
  app.addHook('onRequest', (request, reply, done) => logger(request.raw, reply.raw, done))
  return app
}

/** Empties each log in its own way: a file sink notices if another program cuts its file. */
async function empty() {
  if (!existsSync(path)) return
  if (!isFileSink) {
    truncateSync(path)
    return
  }
  renameSync(path, `${path}.old`)
  await app.audit.reopen()
  rmSync(`${path}.old`)
}

const make = CONTENDERS[name]
if (make === undefined) {
  throw new Error(`no contender is called ${name}; there are ${Object.keys(CONTENDERS).join(', ')}`)
}
const app = await make()
app.get('/v1/jobs', async () => ({ hello: 'world' }))
app.post('/v1/jobs', async (request) => request.body)
await app.listen({ port: 0, host: '127.0.0.1' })
const address = app.server.address()
process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
process.on('message', async (asked) => {
  if (asked === 'empty') await empty()
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
