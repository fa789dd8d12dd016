import Fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import audit, { type AuditOptions, type SinkOptions } from '../../src/index.js'
import { NEVER, StagedSink } from '../support/staged-sink.js'
import { listen } from './runner.js'

export interface Setup {
  factory?: object
  /** Beside the one staged sink. */
  options?: Omit<AuditOptions, 'sinks'>
  deliveryGuarantee?: 'enforced' | 'best-effort'
  /** The sink's; NEVER by default: a busy machine makes nothing overdue. */
  timeout?: SinkOptions['timeout']
  /** What is registered before the plugin. */
  before?(app: FastifyInstance): unknown
  declare(app: FastifyInstance): unknown
}

export interface Served {
  app: FastifyInstance
  sink: StagedSink
  port: number
}

/** A server with one staged sink that listens, until the test is over. */
export async function serve(setup: Setup): Promise<Served> {
  const { app, sink } = await prepare(setup)
  return { app, sink, port: await listen(app) }
}

/** The same server, not ready yet. */
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

/** The trail once the sink has answered for everything. */
export async function trailOf({ app, sink }: Omit<Served, 'port'>): Promise<string[]> {
  await app.audit.flush()
  return sink.trail()
}

/** An instance is awaited by nobody: that would boot it. */
async function settled(done: unknown): Promise<void> {
  if (done instanceof Promise) await done
}

/** A promise, and what resolves it. */
export function deferred<Value = void>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
