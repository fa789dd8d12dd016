import type { FastifyReply } from 'fastify'
import type { Program } from './program.js'

type RawOf = FastifyReply['raw']

/** Kinds of things that are noted, each in its own order. What happens because the last byte was handed over comes later
 * by as much as the bytes are held, whatever the program does meanwhile: it is compared by itself. */
export const KINDS = [
  'events',
  'hooks',
  'logs',
  'ends',
  'outcomes',
  'lateCalls',
  'endHooks',
  'endLogs',
  'channels',
  'process',
  'sources',
] as const
export type NotedKind = (typeof KINDS)[number]

/** Notes of one run of a program. */
export class Run {
  /** Results and exceptions of calls, by caller. */
  readonly calls: Record<string, string[]> = {}
  readonly notes: Record<NotedKind, string[]> = {
    /** Events of the raw response. */
    events: [],
    /** Calls of hooks, with their arguments. */
    hooks: [],
    logs: [],
    /** 'finish', 'close', and callbacks of what was sent. */
    ends: [],
    /** Results passed to code that waits for the reply's end, or for a refused chunk. */
    outcomes: [],
    /** Calls on the raw response after its end. */
    lateCalls: [],
    endHooks: [],
    endLogs: [],
    channels: [],
    process: [],
    /** Streams that were sent and are done with: read to their end, failed, destroyed or cancelled. */
    sources: [],
  }
  /** The status was changed after the head had been composed: how much later `onResponse` sees it is a matter of time. */
  hasLateStatus = false
  /** Id of the exchange, on an audited server. */
  auditId: string | undefined
  /** Number of times each script was begun: one that replies in a hook would run for ever. */
  readonly begun = new Map<string, number>()
  /** Turns of the event loop for which its reply is kept back by Node itself; 0 where it is not. */
  queuedTurns = 0
  /** Scripts that have not come to their end. */
  active = 0
  /** Number of notes of any kind. */
  noted = 0
  /** The raw response, as soon as the server has seen the request. */
  readonly raw: Promise<RawOf>
  onBegin: (raw: RawOf) => void = () => undefined
  private begunRaw: RawOf | null = null

  constructor(readonly program: Program) {
    this.raw = new Promise((resolve) => {
      this.onBegin = (raw) => {
        this.begunRaw = raw
        resolve(raw)
      }
    })
  }

  note(kind: NotedKind, text: string): void {
    this.noted++
    const notes = this.notes[kind]
    // An error is caught by each of the hooks that run within one another, and reported anew: how many there are is no
    // promise of Fastify's.
    if (kind !== 'ends' && notes.at(-1) === text) return
    notes.push(text)
  }

  /** The raw response has ended, or was destroyed; over HTTP/2 a head without a body ends its stream. */
  get isOver(): boolean {
    const raw = this.begunRaw
    if (raw === null) return false
    const stream: { writableEnded?: boolean } | undefined = Reflect.get(raw, 'stream')
    return raw.writableEnded || raw.destroyed || stream?.writableEnded === true
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
