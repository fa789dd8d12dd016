import { execFile } from 'node:child_process'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { BatchError } from '../../src/sinks/batch-error.js'
import type { AuditEntry, AuditSink, SinkContext } from '../../src/sinks/sink.js'
import { streamSink } from '../../src/sinks/stream.js'
import { validateLine } from '../support/schema.js'
import { entryOf, until } from './file/world.js'

const CONTEXT: SinkContext = {
  name: 'stream',
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  record: () => undefined,
  doubt: () => undefined,
}

async function opened(stream: Writable, options = {}): Promise<AuditSink> {
  const sink = streamSink(stream, options)
  await sink.open?.(CONTEXT)
  return sink
}

const batchOf = (...lines: string[]): AuditEntry[] => lines.map(entryOf)

type Callback = (error?: Error | null) => void

/** A stream that asks a function about each chunk. */
function streamOf(write: (text: string, callback: Callback) => void, more: object = {}): Writable {
  return new Writable({
    write: (chunk, _, callback) => write(String(chunk), callback),
    ...more,
  })
}

/** The reason of a rejected write. */
async function rejection(write: Promise<void>): Promise<unknown> {
  return write.then(
    () => {
      throw new Error('it was stored')
    },
    (error: unknown) => error,
  )
}

async function expectInDoubt(write: Promise<void>, batch: readonly AuditEntry[]): Promise<BatchError> {
  const error = await rejection(write)
  if (!(error instanceof BatchError)) throw error
  expect([error.failed, error.inDoubt]).toEqual([[], batch])
  return error
}

describe('a stream sink', () => {
  it('writes each entry as a line, a batch at once', async () => {
    const chunks: string[] = []
    const sink = await opened(
      streamOf((text, callback) => {
        chunks.push(text)
        callback()
      }),
    )
    await sink.write(batchOf('a', 'é'))
    await sink.write(batchOf('b'))
    expect(chunks).toEqual(['a\né\n', 'b\n'])
  })

  it('has stored a batch when a slow stream has taken it, not before', async () => {
    const waiting: Callback[] = []
    const sink = await opened(streamOf((_, callback) => waiting.push(callback), { highWaterMark: 1 }))
    let isStored = false
    const write = sink.write(batchOf('a'.repeat(1000))).then(() => {
      isStored = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([isStored, waiting.length]).toEqual([false, 1])
    waiting[0]?.()
    await write
    expect(isStored).toBe(true)
  })

  it('leaves in doubt a batch on which the stream failed, and rejects later ones', async () => {
    const failure = new Error('EIO')
    const stream = streamOf((_, callback) => callback(failure), { autoDestroy: false })
    const sink = await opened(stream)
    const batch = batchOf('a', 'b')
    expect((await expectInDoubt(sink.write(batch), batch)).cause).toBe(failure)
    expect(await rejection(sink.write(batchOf('c')))).toMatchObject({ message: 'the stream is closed', cause: failure })
  })

  it('leaves in doubt the batch that a stream held when it was destroyed, with an error or without', async () => {
    for (const cause of [new Error('reset'), undefined]) {
      const stream = streamOf(() => undefined)
      const sink = await opened(stream)
      const batch = batchOf('a')
      const write = sink.write(batch)
      stream.destroy(cause)
      const error = await expectInDoubt(write, batch)
      if (cause !== undefined) expect(error.cause).toBe(cause)
      expect(stream.listenerCount('close')).toBe(0)
    }
  })

  it('rejects, as not stored, batches after the stream has ended or died, and ends no process', async () => {
    for (const end of [(stream: Writable) => stream.end(), (stream: Writable) => stream.destroy(new Error('gone'))]) {
      const stream = new PassThrough()
      const sink = await opened(stream)
      end(stream)
      await new Promise((resolve) => setImmediate(resolve))
      const error = await rejection(sink.write(batchOf('a')))
      expect(error).not.toBeInstanceOf(BatchError)
      expect(String(error)).toContain('closed')
      await sink.close?.()
    }
  })

  it('leaves no listener behind for each write', async () => {
    const stream = streamOf((_, callback) => callback())
    const sink = await opened(stream)
    for (let index = 0; index < 50; index++) await sink.write(batchOf('a'))
    expect(stream.listenerCount('close')).toBe(0)
    expect(stream.listenerCount('error')).toBe(1)
  })

  it('ends the stream when it closes, and waits until it is finished', async () => {
    let finish: Callback | undefined
    const stream = streamOf((_, callback) => callback(), {
      final: (callback: Callback) => {
        finish = callback
      },
    })
    const sink = await opened(stream)
    await sink.write(batchOf('a'))
    const closing = sink.close?.()
    await until(() => finish !== undefined)
    expect(stream.writableFinished).toBe(false)
    finish?.()
    await closing
    expect(stream.writableFinished).toBe(true)
  })

  it('rejects with the error that kept the stream from finishing', async () => {
    const failure = new Error('no last block')
    const stream = streamOf((_, callback) => callback(), { final: (callback: Callback) => callback(failure) })
    const sink = await opened(stream)
    await expect(sink.close?.()).rejects.toBe(failure)
  })

  it('leaves the stream open when it is not its own to end', async () => {
    const stream = new PassThrough()
    const sink = await opened(stream, { end: false })
    await sink.write(batchOf('a'))
    await sink.close?.()
    expect(stream.writableEnded).toBe(false)
    expect(stream.listenerCount('error')).toBe(0)
  })
})

describe("type: 'stdout'", () => {
  it('writes whole, valid lines to the standard output, which stays open when the server closes', async () => {
    const script = `
      import Fastify from 'fastify'
      import audit from '${new URL('../../src/index.ts', import.meta.url).href}'
      const app = Fastify()
      await app.register(audit, { sinks: [{ name: 'out', type: 'stdout' }] })
      app.get('/', async () => 'hello')
      await Promise.all(Array.from({ length: 200 }, (_, index) => app.inject('/?page=' + index)))
      await app.close()
      process.stdout.write('still open\\n')
    `
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), maxBuffer: 16 * 1024 * 1024 },
    )
    const lines = stdout.split('\n')
    expect(lines.splice(-2)).toEqual(['still open', ''])
    const events = lines.map(validateLine)
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 402 }, (_, index) => index + 1))
    expect([events[0]?.payload.type, events.at(-1)?.payload.type]).toEqual(['start', 'stop'])
  })
})
