import { createInterface } from 'node:readline'
import { type FileSink, fileSink } from '../../src/sinks/file/file-sink.js'
import { errorCode } from '../../src/sinks/file/fs.js'
import type { AuditEntry } from '../../src/sinks/sink.js'

// A process that opens, writes to and closes a file sink as it is told, one line of its input at a time.

const [path = ''] = process.argv.slice(2)
const log = (): void => undefined
let sink: FileSink | undefined

const ORDERS: Record<string, (argument: string) => Promise<void>> = {
  async open(lockTimeout) {
    sink = fileSink({
      path,
      mode: 0o600,
      dirMode: 0o700,
      rotateBytes: 0,
      rotateDuration: 0,
      rotateMaxFiles: 0,
      rotateMaxAge: 0,
      rotateMinAge: 0,
      fsync: false,
      lockTimeout: Number(lockTimeout),
    })
    await sink.open?.({ name: 'audit', log: { info: log, warn: log, error: log }, record: log, doubt: log })
  },
  write: async (text) => sink?.write([entryOf(text)]),
  close: async () => sink?.close?.(),
}

say({ pid: process.pid })
for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', argument = ''] = line.split(' ')
  try {
    await ORDERS[order]?.(argument)
    say({ path: sink?.path })
  } catch (error) {
    say({ code: errorCode(error), message: String(error) })
  }
}

function entryOf(text: string): AuditEntry {
  return {
    line: JSON.stringify({ text }),
    get event(): never {
      throw new Error('the file sink stores lines')
    },
  }
}

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}
