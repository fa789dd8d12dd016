// A program is plain data, so that it can be generated, shrunk and printed.

/** An argument: what JSON knows, and what only a running program can make. */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | Special
  | readonly Value[]
  | { readonly [name: string]: Value }

export type Special =
  | { readonly $: 'buffer' | 'bytes' | 'words' | 'large'; readonly text: string }
  /** Notes that it was called, and with what. */
  | { readonly $: 'callback' }
  | { readonly $: 'error'; readonly status?: number }
  | { readonly $: 'source'; readonly source: Source }
  | { readonly $: 'Response'; readonly status: number; readonly text: string | null }
  /** Argument of `reply.trailer`. */
  | { readonly $: 'trailer'; readonly late: boolean }

/** A stream, node's or the web's. */
export interface Source {
  readonly kind: 'node' | 'web'
  readonly chunks: readonly ('small' | 'large')[]
  /** Turns of the event loop before each chunk, and before its end. */
  readonly pace: number
  /** Fails instead of ending. */
  readonly fails: boolean
}

export type RawMethod = 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'setHeader'

export type Step =
  | { readonly on: 'reply' | 'raw'; readonly call: string; readonly args: readonly Value[] }
  | { readonly on: 'reply' | 'raw'; readonly set: string; readonly to: Value }
  /** Asks everything that a reply can be asked. */
  | { readonly ask: true }
  /** Composes the head if there is none, as express-session and compression do. */
  | { readonly implicit: true }
  /** Wraps a method of the raw response, as on-headers does. */
  | { readonly wrap: RawMethod }
  | { readonly pipe: Source; readonly by: 'pipe' | 'pipeline' }
  /** `stream.finished` on the raw response. */
  | { readonly watch: true }
  | { readonly turns: number }

/** End of a handler or hook: the value it goes on with, or the error it fails with. */
export type Outcome =
  | { readonly how: 'returns'; readonly value: Value }
  | { readonly how: 'returns the reply' }
  | { readonly how: 'throws'; readonly error: Value }
  /** A callback hook that never goes on. */
  | { readonly how: 'never' }

export interface Script {
  readonly isAsync: boolean
  /** An exception of a step ends the script, instead of being noted only. */
  readonly isBare: boolean
  readonly steps: readonly Step[]
  /** Step before which it returns; the later steps are done all the same. */
  readonly at: number
  readonly outcome: Outcome
}

export const ACTORS = ['onRequest', 'preHandler', 'onSend', 'onError', 'errorHandler'] as const
export type Actor = (typeof ACTORS)[number] | 'handler'

export interface Program {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** HTTP/1: a second request follows on the same connection. */
  readonly isKeptAlive: boolean
  readonly scripts: { readonly handler: Script } & { readonly [actor in (typeof ACTORS)[number]]?: Script | undefined }
}

/** The smallest program in one line; tests name only what they are about. */
export function script(steps: readonly Step[], more: Partial<Script> = {}): Script {
  return {
    isAsync: false,
    isBare: false,
    at: steps.length,
    outcome: { how: 'returns', value: undefined },
    ...more,
    steps,
  }
}

/** A program of a handler alone. */
export function handlerOf(steps: readonly Step[], more: Partial<Script> = {}): Program {
  return { method: 'GET', isKeptAlive: false, scripts: { handler: script(steps, more) } }
}

export function raw(call: string, ...args: Value[]): Step {
  return { on: 'raw', call, args }
}

export function reply(call: string, ...args: Value[]): Step {
  return { on: 'reply', call, args }
}
