import { type ChildProcess, fork } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, it } from 'vitest'
import type { AuditEntry, AuditSink } from '../../src/index.js'
import type { FileSinkOptions } from '../../src/sinks/file/file-sink.js'
import { streamSink } from '../../src/sinks/stream.js'
import { faultySink, memorySink, type SinkUnderTest, testSink } from '../../src/testing.js'
import type { Fault } from './file/faulty-fs.js'
import { linesOf, temporaryDirectory, until, world } from './file/world.js'
import type { Answer, Call, Order } from './stdout-child.js'

testSink(
  'a memory sink',
  () => {
    const sink = memorySink()
    return { sink, read: () => sink.lines }
  },
  { describe, it, outage: { begin: ({ sink }) => sink.fail(), end: ({ sink }) => sink.recover() } },
)

testSink(
  'a faulty sink',
  () => {
    const behind = memorySink()
    return { sink: faultySink(behind), read: () => behind.lines }
  },
  { describe, it, outage: { begin: ({ sink }) => sink.fail(), end: ({ sink }) => sink.recover() } },
)

const files: Array<{ name: string; options?: Partial<FileSinkOptions>; fault: Fault }> = [
  { name: 'a file sink, on a disk that is full', fault: { op: 'write', code: 'ENOSPC' } },
  {
    name: 'a file sink, on a disk that is full within a line',
    fault: { op: 'write', on: 'audit.log', code: 'ENOSPC', bytes: 10 },
  },
  { name: 'a file sink with fsync', options: { fsync: true }, fault: { op: 'datasync', code: 'EIO' } },
  { name: 'a file sink that rotates', options: { rotateBytes: 2000 }, fault: { op: 'write', code: 'EIO' } },
  { name: 'a file sink whose file cannot be opened', fault: { code: 'EMFILE' } },
]

for (const { name, options, fault } of files) {
  testSink(
    name,
    async () => {
      const made = world()
      return { sink: made.sink(options), fs: made.fs, read: () => linesOf(trailIn(made)) }
    },
    {
      describe,
      it,
      outage: {
        begin: ({ fs }) => void fs.plan({ ...fault, times: Number.POSITIVE_INFINITY }),
        end: ({ fs }) => fs.heal(),
      },
    },
  )
}

/** The archives, oldest first, and the file. */
function trailIn({ names, read }: Pick<ReturnType<typeof world>, 'names' | 'read'>): string {
  const order = new Intl.Collator('en', { numeric: true })
  const archives = names().filter((name) => /^audit-.*\.log$/.test(name))
  // The first archive of a millisecond has no number.
  const sorted = archives.map((name) => name.replace('Z.log', 'Z-0.log')).sort(order.compare)
  const present = names().includes('audit.log') ? ['audit.log'] : []
  return [...sorted.map((name) => name.replace('Z-0.log', 'Z.log')), ...present].map((name) => read(name)).join('')
}

testSink(
  'a stream sink',
  () => {
    let text = ''
    const stream = new Writable({
      highWaterMark: 100,
      write(chunk, _, callback) {
        text += String(chunk)
        setImmediate(callback)
      },
    })
    return { sink: streamSink(stream), read: () => linesOf(text) }
  },
  { describe, it },
)

testSink(
  'a stream sink of a file',
  () => {
    const path = join(temporaryDirectory(), 'copy.log')
    const read = () => (existsSync(path) ? linesOf(readFileSync(path, 'utf8')) : [])
    return { sink: streamSink(createWriteStream(path)), read }
  },
  { describe, it },
)

/** A child whose standard output is a pipe that this process reads. */
class Child {
  private readonly process: ChildProcess
  private readonly chunks: Buffer[] = []
  private bytes = 0
  private last = 0
  private readonly waiting = new Map<number, (answer: Answer) => void>()

  constructor() {
    this.process = fork(fileURLToPath(new URL('./stdout-child.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.bytes += chunk.length
    })
    this.process.on('message', (answer: Answer) => this.waiting.get(answer.id)?.(answer))
  }

  async order(call: Call, lines: string[] = []): Promise<Answer> {
    const id = ++this.last
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve))
    this.process.send({ id, call, lines } satisfies Order)
    const answer = await answered
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** The output of the pipe after `from`, once everything written so far has arrived. */
  async read(from: number): Promise<string> {
    const { bytes } = await this.order('count')
    await until(() => this.bytes >= bytes)
    return Buffer.concat(this.chunks).subarray(from).toString()
  }

  stop(): void {
    this.process.disconnect()
  }
}

let child: Child | undefined
afterAll(() => child?.stop())

testSink(
  "type: 'stdout'",
  async (): Promise<SinkUnderTest> => {
    child ??= new Child()
    const pipe = child
    const { bytes } = await pipe.order('count')
    const sink: AuditSink = {
      open: async () => void (await pipe.order('open')),
      write: async (batch) => void (await pipe.order('write', linesIn(batch))),
      close: async () => void (await pipe.order('close')),
    }
    return { sink, read: async () => linesOf(await pipe.read(bytes)) }
  },
  { describe, it },
)

function linesIn(batch: readonly AuditEntry[]): string[] {
  return batch.map(({ line }) => line)
}
