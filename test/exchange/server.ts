import Fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import audit, { type AuditOptions, type SinkOptions } from '../../src/index.js'
import { NEVER, StagedSink } from '../support/staged-sink.js'
import { listen } from './runner.js'

export interface Setup {
  factory?: object
  /** Options of the plugin, except its one staged sink. */
  options?: Omit<AuditOptions, 'sinks'>
  deliveryGuarantee?: 'enforced' | 'best-effort'
  /** Timeout of the sink. NEVER by default, so that a busy machine makes nothing overdue. */
  timeout?: SinkOptions['timeout']
  /** Registers hooks before the plugin. */
  before?(app: FastifyInstance): unknown
  declare(app: FastifyInstance): unknown
}

export interface Served {
  app: FastifyInstance
  sink: StagedSink
  port: number
}

/** Starts a listening server with one staged sink; it is closed after the test. */
export async function serve(setup: Setup): Promise<Served> {
  const { app, sink } = await prepare(setup)
  return { app, sink, port: await listen(app) }
}

/** Creates the same server without making it ready. */
export async function prepare(setup: Setup): Promise<Omit<Served, 'port'>> {
  const sink = new StagedSink()
  const app = Fastify({ ...setup.factory })
  onTestFinished(async () => {
    sink.recover()
    await app.close()
  })
  await settled(setup.before?.(app))
  const { deliveryGuarantee = 'enforced', timeout = NEVER } = setup
  await app.register(audit, {
    closeTimeout: '200ms',
    ...setup.options,
    sinks: [{ name: 'staged', sink, deliveryGuarantee, timeout }],
  })
  await settled(setup.declare(app))
  return { app, sink }
}

/** Returns the trail after the sink has answered for everything. */
export async function trailOf({ app, sink }: Omit<Served, 'port'>): Promise<string[]> {
  await app.audit.flush()
  return sink.trail()
}

/** Wraps an instance, because awaiting an instance would boot it. */
async function settled(done: unknown): Promise<void> {
  if (done instanceof Promise) await done
}

/** Creates a promise and the function that resolves it. */
export function deferred<Value = void>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
