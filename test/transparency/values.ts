import { Readable } from 'node:stream'
import type { Source, Special, Value } from './program.js'
import type { Run } from './run.js'

const LARGE = 100_000

/** Makes what a program names. */
export function make(value: Value, run: Run): unknown {
  if (Array.isArray(value)) return value.map((one: Value) => make(one, run))
  if (typeof value !== 'object' || value === null) return value
  if (isSpecial(value)) return makeSpecial(value, run)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, make(one, run)]))
}

function isSpecial(value: object): value is Special {
  return '$' in value
}

function makeSpecial(value: Special, run: Run): unknown {
  switch (value.$) {
    case 'buffer':
      return Buffer.from(value.text)
    case 'bytes':
      return new Uint8Array(Buffer.from(value.text))
    case 'words':
      return Uint16Array.from(Buffer.from(value.text))
    case 'large':
      return value.text.repeat(LARGE)
    case 'callback': {
      const number = run.begun.get('callback') ?? 0
      run.begun.set('callback', number + 1)
      return (error: unknown) => {
        run.note(error instanceof Error ? 'outcomes' : 'ends', `callback ${number} ${describe(error ?? undefined)}`)
      }
    }
    case 'error':
      return Object.assign(new Error('of the program'), value.status !== undefined && { statusCode: value.status })
    case 'source':
      return sourceOf(value.source, run)
    case 'Response':
      return new Response(value.text, { status: value.status, headers: { 'x-response': 'yes' } })
    case 'trailer':
      return (_reply: unknown, _payload: unknown, done: (error: null, value: string) => void) => {
        if (value.late) setImmediate(done, null, 'late')
        else done(null, 'at once')
      }
  }
}

export function sourceOf(source: Source, run: Run): Readable | ReadableStream {
  return source.kind === 'node' ? nodeSource(source, run, true) : webSource(source, run)
}

/** `isSent`: by Fastify, which must close it; what a program pipes is its own affair. */
export function nodeSource({ chunks, pace, fails }: Source, run: Run, isSent: boolean): Readable {
  let index = 0
  const stream = new Readable({
    read() {
      later(pace, () => {
        const chunk = chunks[index++]
        if (run.isOver) run.note('lateCalls', 'a chunk')
        if (chunk !== undefined) {
          this.push(textOf(chunk))
        } else if (fails) this.destroy(new Error('of the source'))
        else this.push(null)
      })
    },
    destroy(error, done) {
      if (isSent) run.note('sources', 'node')
      done(error)
    },
  })
  // It is known that it fails: an application listens.
  stream.on('error', () => undefined)
  return stream
}

function webSource({ chunks, pace, fails }: Source, run: Run): ReadableStream {
  let index = 0
  let isDone = false
  const finish = (): void => {
    if (!isDone) run.note('sources', 'web')
    isDone = true
  }
  return new ReadableStream({
    async pull(controller) {
      await new Promise<void>((resolve) => later(pace, resolve))
      const chunk = chunks[index++]
      if (run.isOver) run.note('lateCalls', 'a chunk')
      if (chunk !== undefined) controller.enqueue(Buffer.from(textOf(chunk)))
      else {
        finish()
        if (fails) controller.error(new Error('of the source'))
        else controller.close()
      }
    },
    cancel: finish,
  })
}

function textOf(chunk: 'small' | 'large'): string {
  return chunk === 'small' ? 'part' : 'p'.repeat(LARGE)
}

/** Goes on after some turns of the event loop, or at once. */
export function later(turns: number, next: () => void): void {
  if (turns === 0) next()
  else setImmediate(() => later(turns - 1, next))
}

/** A value as it is compared. */
export function describe(value: unknown): string {
  if (value instanceof Error) return `${value.name} ${Reflect.get(value, 'code') ?? ''} ${value.message}`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Promise) return 'a promise'
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value))
  return isPlain
    ? JSON.stringify(value, (_, one) => (one === undefined ? 'undefined' : one))
    : `a ${value.constructor.name}`
}
