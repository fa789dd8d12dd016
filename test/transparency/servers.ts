import { errorMonitor } from 'node:events'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import audit, { type AuditEntry } from '../../src/index.js'
import { portOf } from '../support/app.js'
import { validateLine } from '../support/schema.js'
import { turns, until } from '../support/staged-sink.js'
import { Player, playHook } from './interpret.js'
import { currentRun, type Run } from './run.js'
import { TrailCheck } from './trail.js'
import { describe, later } from './values.js'

export type Protocol = 'HTTP/1' | 'HTTP/2'

export interface Audit {
  /** Turns of the event loop that the sink takes to store a batch. */
  readonly sinkTurns: number
  readonly deliveryGuarantee: 'enforced' | 'best-effort'
  readonly level: 'metadata' | 'response'
}

/** Plain Fastify; with hooks like the audit's that only wait, in some of its places; audited. */
export type Kind = 'plain' | Waiting | Audit

export interface Waiting {
  readonly waitsIn: ReadonlyArray<'onRequest' | 'preValidation' | 'preHandler' | 'onSend'>
  /** Goes on as an async function does, after a promise, instead of as the callback of a timer. */
  readonly isAsync?: boolean
  /** Turns of the event loop that it waits: one, unless it says more. */
  readonly turns?: number
}

/** Each way of auditing. */
export const AUDITS: readonly Audit[] = [0, 4].flatMap((sinkTurns) =>
  (['enforced', 'best-effort'] as const).flatMap((deliveryGuarantee) =>
    (['metadata', 'response'] as const).map((level) => ({ sinkTurns, deliveryGuarantee, level })),
  ),
)

export interface Served {
  readonly app: FastifyInstance
  readonly port: number
  /** Trail of an audited server; null otherwise. */
  readonly trail: TrailCheck | null
}

/** Servers that listen, made when they are first asked for: a server per program would take most of the time. */
export class Servers {
  private readonly served = new Map<string, Promise<Served>>()

  get(kind: Kind, protocol: Protocol): Promise<Served> {
    const key = `${protocol} ${nameOf(kind)}`
    const served = this.served.get(key) ?? serve(kind, protocol)
    this.served.set(key, served)
    return served
  }

  /** Closes them, and says what is wrong with their trails. */
  async close(): Promise<string[]> {
    const mistakes: string[] = []
    for (const served of this.served.values()) {
      const { app, trail } = await served
      await app.close()
      mistakes.push(...(trail?.end() ?? []))
    }
    this.served.clear()
    return mistakes
  }
}

export function nameOf(kind: Kind): string {
  if (kind === 'plain') return kind
  if (isWaiting(kind))
    return `waiting in ${kind.waitsIn.join(', ')}${kind.isAsync ? ', async' : ''}, ${kind.turns ?? 1} turns`
  return `audited: ${kind.deliveryGuarantee}, ${kind.level}, ${kind.sinkTurns} turns`
}

/** Path of a connection's second request, which belongs to no program. */
export const AFTER = '/after'

/** Path of the request before a program's queued one; its body is its name. */
export const BEFORE = '/before'

function isWaiting(kind: Kind): kind is Waiting {
  return typeof kind === 'object' && 'waitsIn' in kind
}

const runOf = new WeakMap<object, Run>()

async function serve(kind: Kind, protocol: Protocol): Promise<Served> {
  const logger = { level: 'info', stream: { write: noteLog } }
  const app: FastifyInstance = protocol === 'HTTP/2' ? adapted(Fastify({ logger, http2: true })) : Fastify({ logger })
  const stored: AuditEntry[] = []
  if (isWaiting(kind)) addWaitingHooks(app, kind)
  else if (kind !== 'plain') await addAudit(app, kind, stored)
  addHooks(app)
  app.route({ method: ['GET', 'HEAD', 'POST'], url: '/', handler: playHandler })
  app.get(AFTER, { config: { audit: false }, logLevel: 'silent' }, async () => 'after')
  app.get(BEFORE, { logLevel: 'silent' }, async () => {
    const run = currentRun()
    const raw = await run?.raw
    await until(() => raw === undefined || raw.headersSent || raw.destroyed)
    await turns(run?.queuedTurns ?? 0)
    return BEFORE
  })
  await app.register(async (child) => {
    child.setErrorHandler((error, request, reply) => playErrorHandler(error, request, reply))
    child.route({ method: ['GET', 'HEAD', 'POST'], url: '/error-handler', handler: playHandler })
  })
  const port = await portOf(app)
  return { app, port, trail: kind === 'plain' || isWaiting(kind) ? null : new TrailCheck(app, stored) }
}

/** The types of an HTTP/2 server are others; what the model calls is the same. */
function adapted(app: object): FastifyInstance {
  return app as FastifyInstance
}

async function addAudit(app: FastifyInstance, kind: Audit, stored: AuditEntry[]): Promise<void> {
  const sink = {
    write: async (batch: readonly AuditEntry[]) => {
      await turns(kind.sinkTurns)
      for (const { line } of batch) validateLine(line)
      stored.push(...batch)
    },
  }
  await app.register(audit, {
    level: kind.level,
    closeTimeout: '2s',
    abortTimeout: '1s',
    capture: { requestHeaders: ['content-type'], responseHeaders: ['content-type', 'x-a'] },
    sinks: [{ name: 'model', sink, deliveryGuarantee: kind.deliveryGuarantee }],
  })
}

/** Hooks like those of the audit that do nothing but go on, some of them later. */
function addWaitingHooks(app: FastifyInstance, { waitsIn, isAsync = false, turns: count = 1 }: Waiting): void {
  const goOn = (isLater: boolean, done: () => void): void => {
    if (!isLater) done()
    else if (isAsync) void turns(count).then(done)
    else later(count, done)
  }
  for (const place of ['onRequest', 'preValidation', 'preHandler'] as const) {
    app.addHook(place, (_request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
      goOn(waitsIn.includes(place), done)
    })
  }
  app.addHook('onError', (_request, _reply, _error, done) => done())
  app.addHook('onSend', (_request, _reply, _payload, done) => goOn(waitsIn.includes('onSend'), done))
}

/** Hooks that watch, and the program's own hooks, all registered after the audit. */
function addHooks(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isBeside(request.url)) return done()
    const run = begin(request, reply)
    return run === null ? done() : playHook(run, 'onRequest', reply, done)
  })
  app.addHook('preHandler', (request, reply, done) => {
    const run = runOf.get(request)
    if (run === undefined) return done()
    run.note('hooks', `preHandler ${reply.statusCode}`)
    return playHook(run, 'preHandler', reply, done)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const run = runOf.get(request)
    if (run === undefined) return done()
    run.note('hooks', `onSend ${reply.statusCode} ${describe(payload)}`)
    return playHook(run, 'onSend', reply, done)
  })
  app.addHook('onError', (request, reply, error, done) => {
    const run = runOf.get(request)
    if (run === undefined) return done()
    run.note('hooks', `onError ${reply.statusCode} ${describe(error)}`)
    return playHook(run, 'onError', reply, done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const run = runOf.get(request)
    if (run !== undefined && reply.statusCode !== sentStatus(reply.raw)) run.hasLateStatus = true
    run?.note('endHooks', `onResponse ${reply.statusCode}`)
    done()
  })
  app.addHook('onRequestAbort', (request, done) => {
    runOf.get(request)?.note('endHooks', 'onRequestAbort')
    done()
  })
}

function begin(request: FastifyRequest, reply: FastifyReply): Run | null {
  const run = currentRun()
  if (run === null) return null
  runOf.set(request, run)
  const { raw } = reply
  for (const name of ['finish', 'close']) raw.on(name, () => run.note('ends', name))
  // A listener of 'error' itself would keep what nobody else handles from ending the process.
  raw.on(errorMonitor, (error) => run.note('events', `error ${describe(error)}`))
  if (request.server.hasDecorator('audit')) run.auditId = request.audit.id
  run.note('hooks', `onRequest ${reply.statusCode}`)
  run.onBegin(raw)
  return run
}

function playHandler(request: FastifyRequest, reply: FastifyReply): unknown {
  const run = runOf.get(request)
  if (run === undefined) throw new Error('a request of no program')
  run.note('hooks', 'handler')
  return new Player(run, 'handler', run.program.scripts.handler, reply).handle()
}

function playErrorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  const run = runOf.get(request)
  const script = run?.program.scripts.errorHandler
  if (run === undefined || script === undefined) throw error
  run.note('hooks', `errorHandler ${describe(error)}`)
  return new Player(run, 'errorHandler', script, reply).handle()
}

/** Returns true if a request belongs to no program. */
export function isBeside(url: string | undefined): boolean {
  return url === AFTER || url === BEFORE
}

/** The status of the head that was composed. */
function sentStatus(raw: object): number {
  const head: unknown = Reflect.get(raw, '_header')
  if (typeof head === 'string') return Number(head.slice(9, 12))
  const stream: { sentHeaders?: Record<string, unknown> } | undefined = Reflect.get(raw, 'stream')
  return Number(stream?.sentHeaders?.[':status'])
}

const END_LOGS = ['request completed', 'request errored']

function noteLog(line: string): void {
  const { level, msg, err, res } = JSON.parse(line)
  // Said of a source that is not at its end when the reply is: which comes first is a matter of time.
  if (msg === 'stream closed prematurely') return
  const error = err === undefined ? '' : ` ${err.type} ${err.code ?? ''} ${err.message}`
  const kind = END_LOGS.includes(msg) ? 'endLogs' : 'logs'
  currentRun()?.note(kind, `${level} ${msg}${error} ${res?.statusCode ?? ''}`.trim())
}
