/** Loaded before a test file: every server that it makes gets the plugin of the mode before anything else. */
import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import audit, { type AuditSink } from 'fastify-audit-log'
import { MODE_VARIABLE, type Mode } from './modes.js'
import { LATER, waiting, waitingLonger } from './waiting.js'

// Tests replace the timers.
const after = setTimeout

type Factory = (...args: unknown[]) => FastifyInstance

const INSTALL: Readonly<Record<Mode, (app: FastifyInstance) => void>> = {
  plain: () => {},
  waiting: (app) => void app.register(waiting),
  'waiting longer': (app) => void app.register(waitingLonger),
  'audited at once': (app) => registerAudit(app, { write: () => Promise.resolve() }),
  'audited later': (app) => registerAudit(app, { write: () => new Promise((stored) => after(stored, LATER)) }),
}

function registerAudit(app: FastifyInstance, sink: AuditSink): void {
  hush(app.log)
  app.register(audit, {
    level: 'response',
    sinks: [{ name: 'compat', sink, deliveryGuarantee: 'enforced' }],
    // Many tests inject a request that nobody ever answers; a closing server waits for it, as it is told to.
    closeTimeout: '400ms',
  })
}

/** Keeps the advice that the plugin gives at boot out of the logs that tests count the lines of. */
function hush(log: FastifyInstance['log']): void {
  const { warn } = log
  if (typeof warn !== 'function') return
  log.warn = (...args: unknown[]) => {
    const isAdvice = args.some((arg) => typeof arg === 'string' && arg.startsWith('fastify-audit-log: '))
    if (!isAdvice) Reflect.apply(warn, log, args)
  }
}

function isFactory(value: unknown): value is Factory {
  return typeof value === 'function' && Reflect.get(value, 'errorCodes') !== undefined
}

/** A factory that looks like Fastify's, and prepares every server that it makes. */
function preparing(factory: Factory, install: (app: FastifyInstance) => void): Factory {
  function fastify(this: unknown, ...args: unknown[]): FastifyInstance {
    const app = Reflect.apply(factory, this, args)
    install(app)
    return app
  }
  return Object.assign(fastify, factory, { fastify, default: fastify })
}

/** Replaces what Fastify's own file exports, however and however often it is loaded. */
function prepareServers(mode: Mode): void {
  const { extensions } = createRequire(__filename)
  const load = extensions['.js']
  extensions['.js'] = (module, path) => {
    load?.(module, path)
    if (!/[\\/]fastify[\\/]fastify\.js$/.test(path) || !isFactory(module.exports)) return
    module.exports = preparing(module.exports, INSTALL[mode])
  }
}

function modeOf(name: string | undefined): Mode {
  for (const mode of Object.keys(INSTALL)) if (mode === name) return mode as Mode
  throw new Error(`${MODE_VARIABLE} is "${name}"; it may be ${Object.keys(INSTALL).join(', ')}`)
}

prepareServers(modeOf(process.env[MODE_VARIABLE]))
