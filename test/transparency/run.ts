import type { FastifyReply } from 'fastify'
import type { Program } from './program.js'

type RawOf = FastifyReply['raw']

/** What one run of a program has noted, each kind of thing in its own order. */
export class Run {
  /** What each call returned or threw, by who made it. */
  readonly calls: Record<string, string[]> = {}
  /** Events of the raw response, and callbacks of its methods. */
  readonly events: string[] = []
  /** Hooks, with what they were given. */
  readonly hooks: string[] = []
  readonly logs: string[] = []
  readonly channels: string[] = []
  readonly process: string[] = []
  /** What became of streams that were sent. */
  readonly sources: string[] = []
  /** How often each script was begun: one that replies in a hook would run for ever. */
  readonly begun = new Map<string, number>()
  /** Scripts that have not come to their end. */
  active = 0
  /** Of anything. */
  noted = 0
  /** The raw response, as soon as the server has seen the request. */
  readonly raw: Promise<RawOf>
  onBegin: (raw: RawOf) => void = () => undefined

  constructor(readonly program: Program) {
    this.raw = new Promise((resolve) => {
      this.onBegin = resolve
    })
  }

  note(kind: 'events' | 'hooks' | 'logs' | 'channels' | 'process' | 'sources', text: string): void {
    this.noted++
    this[kind].push(text)
  }

  noteCall(actor: string, text: string): void {
    this.noted++
    const calls = this.calls[actor] ?? []
    this.calls[actor] = calls
    calls.push(text)
  }
}

/** One program runs at a time, so that what belongs to no request belongs to it. */
let current: Run | null = null

export function currentRun(): Run | null {
  return current
}

export function setCurrentRun(run: Run | null): void {
  current = run
}
