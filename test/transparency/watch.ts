import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { currentRun } from './run.js'
import { isBeside } from './servers.js'
import { describe } from './values.js'

const CHANNELS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']

/**
 * Warnings that Node gives once a process: the server that comes first would differ from all others. And of too many
 * listeners: how many there are depends on when what they wait for comes.
 */
const UNNOTED = ['DeprecationWarning', 'UnsupportedWarning', 'MaxListenersExceededWarning']

interface HandlerStore {
  readonly request?: { readonly url: string }
  readonly async?: boolean
  readonly error?: unknown
}

/** Notes process events for the current program, and hides them from other listeners, until the returned function is called. */
export function watchProcess(): () => void {
  const ends = [
    take('uncaughtException', (error) => note(`uncaught ${describe(error)}`)),
    take('unhandledRejection', (error) => note(`unhandled ${describe(error)}`)),
    take('warning', (warning) => {
      if (warning instanceof Error && !UNNOTED.includes(warning.name)) note(`warning ${describe(warning)}`)
    }),
    ...CHANNELS.map(follow),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function note(text: string): void {
  currentRun()?.note('process', text)
}

/** Listens in the place of the test runner, which would end the test. */
function take(event: string, listener: (value: unknown) => void): () => void {
  const others = process.rawListeners(event)
  process.removeAllListeners(event)
  process.on(event, listener)
  return () => {
    process.off(event, listener)
    for (const other of others) Reflect.apply(process.on, process, [event, other])
  }
}

function follow(name: string): () => void {
  const channel = `tracing:fastify.request.handler:${name}`
  const listener = (message: unknown): void => {
    const { request, async, error }: HandlerStore = typeof message === 'object' && message !== null ? message : {}
    if (isBeside(request?.url)) return
    currentRun()?.note('channels', `${name}${async ? ' async' : ''}${error === undefined ? '' : ` ${describe(error)}`}`)
  }
  subscribe(channel, listener)
  return () => void unsubscribe(channel, listener)
}
