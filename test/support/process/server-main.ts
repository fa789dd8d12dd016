import { readdirSync } from 'node:fs'
import Fastify from 'fastify'
import audit, { type FileSinkOptions } from '../../../src/index.js'

// An audited server in a process of its own: it does what it is told by messages, and tells on which port it listens.

/** What the program is told when it starts. */
export interface ServerSettings {
  sink: Omit<FileSinkOptions, 'name' | 'type'> & { path: string }
}

/** What the program is told later: to open its trail and listen, how to end, or to measure itself. */
export type Order = 'open' | 'close' | 'exit' | 'throw' | 'leave' | 'measure'

/** What the program tells. */
export interface Told {
  /** Its code is loaded: it does what it is told. */
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
  // What is left does not keep a process running.
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
  // Twice: what the first one finds finalised is freed by the second.
  for (let times = 0; times < 2; times++) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed, descriptors: readdirSync('/dev/fd').length }
}
