/** Follows its parent's orders on its standard output; the parent has the pipe's other end. */
import { stdoutSink } from '../../src/sinks/stream.js'
import { entryOf } from './file/world.js'

export type Call = 'open' | 'write' | 'close' | 'count'
export interface Order {
  id: number
  call: Call
  lines: string[]
}
/** The result of an order; for `count`, the bytes that were written to the pipe by now. */
export interface Answer {
  id: number
  error?: string
  bytes: number
}

const CONTEXT = {
  name: 'stdout',
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  record: () => undefined,
  doubt: () => undefined,
}
let sink = stdoutSink()

async function carryOut({ call, lines }: Order): Promise<void> {
  if (call === 'open') {
    sink = stdoutSink()
    await sink.open?.(CONTEXT)
  } else if (call === 'write') await sink.write(lines.map(entryOf))
  else if (call === 'close') await sink.close?.()
}

process.on('message', (order: Order) => {
  carryOut(order).then(
    () => process.send?.({ id: order.id, bytes: Reflect.get(process.stdout, 'bytesWritten') } satisfies Answer),
    (error: unknown) => process.send?.({ id: order.id, error: String(error), bytes: 0 } satisfies Answer),
  )
})
