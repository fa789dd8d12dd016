import { readdirSync } from 'node:fs'
import Fastify from 'fastify'
import audit, { type FileSinkOptions } from '../../../src/index.js'

// An audited server in a process of its own: it takes orders as messages, and reports the port on which it listens.

/** The first order, at the start of the program. */
export interface ServerSettings {
  sink: Omit<FileSinkOptions, 'name' | 'type'> & { path: string }
}

/** A later order: to open its trail and listen, to end, or to measure itself. */
export type Order = 'open' | 'close' | 'exit' | 'throw' | 'leave' | 'measure'

/** A message of the program. */
export interface Told {
  /** Its code is loaded, and it takes orders. */
  loaded?: true
  port?: number
  measured?: Measure
}

export interface Measure {
  /** Bytes, after a garbage collection. */
  rss: number
  heap: number
  descriptors: number
}

const ORDERS: Record<Order, () => void> = {
  open: () => void open(),
  close: () => void app.close().then(() => process.disconnect()),
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('nobody catches this')
  },
  // Nothing that is left keeps the process running.
  leave: () => {
    app.server.unref()
    process.disconnect()
  },
  measure: () => tell({ measured: measure() }),
}

const { sink }: ServerSettings = JSON.parse(process.argv[2] ?? '')
const app = Fastify()
process.on('message', (order: Order) => ORDERS[order]())
tell({ loaded: true })

async function open(): Promise<void> {
  await app.register(audit, { sinks: [{ ...sink, name: 'audit', type: 'file', lockTimeout: 0 }] })
  app.get<{ Params: { number: string } }>('/tasks/:number', async ({ params, audit }) => ({
    number: Number(params.number),
    auditId: audit.id,
  }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  if (typeof address === 'object' && address !== null) tell({ port: address.port })
}

function tell(told: Told): void {
  process.send?.(told)
}

function measure(): Measure {
  // Twice: the second collection frees objects that the first one has finalised.
  for (let times = 0; times < 2; times++) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed, descriptors: readdirSync('/dev/fd').length }
}
