import { finished, pipeline } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { ask } from './ask.js'
import type { Actor, Script, Step } from './program.js'
import type { Run } from './run.js'
import { describe, later, make, nodeSource } from './values.js'

/** Maximum runs of a hook's script: one that replies in `onSend` would run for ever, with or without the audit. */
const TIMES = 2

/** Goes on with a value, or an error, as a callback hook's `done`. */
export type Done = (error?: Error, value?: unknown) => void

/** A part of the program while it runs. */
export class Player {
  private index = 0
  private hasReturned = false

  constructor(
    private readonly run: Run,
    private readonly actor: Actor,
    private readonly script: Script,
    private readonly reply: FastifyReply,
  ) {}

  /** As a handler that is no promise: its steps after a turn of the event loop come after it has returned. */
  handle(): unknown {
    if (this.script.isAsync) return this.playAsync()
    let result: unknown
    let failure: { error: unknown } | undefined
    const conclude = (): void => {
      const { outcome } = this.script
      if (outcome.how === 'throws') failure = { error: make(outcome.error, this.run) }
      else result = this.returned()
    }
    this.begin()
    this.advance(conclude)
    if (!this.hasReturned) this.return(conclude)
    if (failure !== undefined) throw failure.error
    return result
  }

  /** As a hook: with a callback, or as a promise. */
  hook(done: Done): unknown {
    if (this.script.isAsync) return this.playAsync()
    this.begin()
    this.advance(() => {
      const { outcome } = this.script
      if (outcome.how === 'throws') done(toError(make(outcome.error, this.run)))
      else if (outcome.how !== 'never') done(undefined, this.returned())
    })
    return undefined
  }

  private async playAsync(): Promise<unknown> {
    const { script, run } = this
    const { outcome } = script
    this.begin()
    try {
      while (this.index < script.steps.length && this.index < script.at) await this.performAsync()
    } catch (error) {
      this.finish()
      throw error
    }
    if (this.index < script.steps.length) setImmediate(() => this.advance(() => undefined))
    else this.finish()
    if (outcome.how === 'throws') throw make(outcome.error, run)
    this.hasReturned = true
    return this.returned()
  }

  private async performAsync(): Promise<void> {
    const step = this.script.steps[this.index++]
    if (step === undefined) return
    if ('turns' in step) await new Promise<void>((resolve) => later(step.turns, resolve))
    else this.perform(step)
  }

  /** Takes steps until one lets the event loop turn; the rest follows by itself. */
  private advance(conclude: () => void): void {
    const { script } = this
    let isOver = false
    try {
      for (;;) {
        if (this.index >= script.at || this.index >= script.steps.length) this.return(conclude)
        const step = script.steps[this.index++]
        if (step === undefined) {
          isOver = true
          return
        }
        if ('turns' in step) {
          later(step.turns, () => this.advance(conclude))
          return
        }
        this.perform(step)
      }
    } catch (error) {
      isOver = true
      throw error
    } finally {
      if (isOver) this.finish()
    }
  }

  private return(conclude: () => void): void {
    if (this.hasReturned) return
    this.hasReturned = true
    conclude()
  }

  private returned(): unknown {
    const { outcome } = this.script
    if (outcome.how === 'returns the reply') return this.actor === 'onSend' ? undefined : this.reply
    return outcome.how === 'returns' ? make(outcome.value, this.run) : undefined
  }

  private begin(): void {
    this.run.active++
  }

  private finish(): void {
    this.run.active--
  }

  private perform(step: Step): void {
    const { run, actor, script } = this
    const isLate = isOfRaw(step) && run.isOver
    const note = (text: string): void => {
      if (isLate) run.note('lateCalls', `${nameOf(step)} ${text}`)
      else run.noteCall(actor, `${nameOf(step)} ${text}`)
    }
    let result: unknown
    try {
      result = this.call(step)
    } catch (error) {
      note(`threw ${describe(error)}`)
      if (script.isBare) throw error
      return
    }
    note(this.nameOfResult(result))
  }

  private call(step: Step): unknown {
    const { reply, run } = this
    const { raw } = reply
    if ('ask' in step) return ask(reply)
    if ('call' in step) {
      const target: object = step.on === 'raw' ? raw : reply
      const method: unknown = Reflect.get(target, step.call)
      if (typeof method !== 'function') return 'not a function'
      return Reflect.apply(
        method,
        target,
        step.args.map((arg) => make(arg, run)),
      )
    }
    if ('set' in step) {
      const target: object = step.on === 'raw' ? raw : reply
      return Reflect.set(target, step.set, make(step.to, run))
    }
    if ('implicit' in step) return composeHead(raw)
    if ('wrap' in step) return wrap(raw, step.wrap, run)
    if ('watch' in step) {
      finished(raw, (error) => run.note('outcomes', `finished ${describe(error)}`))
      return undefined
    }
    if ('pipe' in step) {
      const source = nodeSource(step.pipe, run, false)
      if (step.by === 'pipe') source.pipe(raw)
      else pipeline(source, raw, (error) => run.note('outcomes', `pipeline ${describe(error)}`))
    }
    return undefined
  }

  private nameOfResult(result: unknown): string {
    if (result === this.reply) return 'the reply'
    if (result === this.reply.raw) return 'the raw response'
    return describe(result)
  }
}

/** Plays a hook of the program, or goes on where it has none. */
export function playHook(
  run: Run,
  actor: Actor & keyof typeof run.program.scripts,
  reply: FastifyReply,
  done: Done,
): unknown {
  const script = run.program.scripts[actor]
  const times = (run.begun.get(actor) ?? 0) + 1
  run.begun.set(actor, times)
  if (script === undefined || times > TIMES) {
    done()
    return undefined
  }
  return new Player(run, actor, script, reply).hook(done)
}

/** Has Node compose the head if there is none, as express-session and compression do. */
function composeHead(raw: object): unknown {
  if (Reflect.get(raw, '_header')) return 'has a head'
  const method: unknown = Reflect.get(raw, '_implicitHeader')
  return typeof method === 'function' ? Reflect.apply(method, raw, []) : 'not a function'
}

/** Puts a wrapper on top, as on-headers does. */
function wrap(raw: object, name: string, run: Run): unknown {
  const method: unknown = Reflect.get(raw, name)
  if (typeof method !== 'function') return 'not a function'
  Reflect.set(raw, name, function (this: unknown, ...args: unknown[]): unknown {
    run.note('events', `wrapped ${name} with ${args.length}`)
    return Reflect.apply(method, this, args)
  })
  return undefined
}

function isOfRaw(step: Step): boolean {
  return !('ask' in step) && !('set' in step) && !('call' in step && step.on === 'reply')
}

function nameOf(step: Step): string {
  if ('call' in step) return `${step.on}.${step.call}`
  if ('set' in step) return `${step.on}.${step.set} =`
  return Object.keys(step)[0] ?? ''
}

/** Turns the value that a callback hook failed with into an error. */
function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}
