import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { messageOf } from '../../event/error-message.js'
import type { Gate } from '../gate/gate.js'
import type { ReplyNotes } from '../reply-notes.js'
import { ByteCounts } from './byte-counts.js'
import { ABORTED, CLOSED, type Ending, type Watched, type Watcher } from './ending.js'
import { type Emitting, watchCalls, watchEvents } from './watch-events.js'

const EVENT_STREAM = 'text/event-stream'

/** Watches a reply that is sent by a response. */
export class WatchedResponse implements Watched {
  isLong = false
  readonly closing = null
  private watcher: Watcher = () => undefined
  private counts: ByteCounts | null = null
  /** How the reply ended, if the application destroyed it while its client was there. */
  private failure: Ending | null = null

  constructor(
    private readonly raw: ServerResponse | Http2ServerResponse,
    private readonly gate: Gate,
    private readonly notes: ReplyNotes,
  ) {
    notes.forget()
    watchCalls(raw, 'destroy', ([error]) => this.onDestroy(error))
  }

  begin(watcher: Watcher, isAhead: boolean): void {
    const { raw, gate } = this
    this.watcher = watcher
    this.counts = isAhead ? countBytes(raw) : null
    this.isLong = isEventStream(gate.headers())
    watchEvents(emitterOf(raw), (event) => {
      if (event === 'finish') this.end(gate.progress !== 'broken')
      // HTTP/2: after a reset without an error, nothing else may come.
      else if (event === 'close' || event === 'aborted') this.end(gate.progress === 'sent')
    })
  }

  check(): void {
    const { progress } = this.gate
    if (progress !== 'running') this.end(progress === 'sent')
  }

  bytes() {
    return this.counts?.since() ?? {}
  }

  private end(isSent: boolean): void {
    this.watcher(isSent ? CLOSED : (this.failure ?? ABORTED))
  }

  /** Notes why a reply breaks: Fastify destroys the response of a stream that fails, without its error. */
  private onDestroy(error: unknown): void {
    if (this.failure !== null || this.gate.progress !== 'running') return
    const message = error === undefined ? this.notes.failureOfPayload() : messageOf(error)
    this.failure = { how: 'failed', error: message }
  }
}

/** Returns what emits the events of a reply's end. The response of HTTP/2 emits them only when the request has ended too. */
function emitterOf(raw: ServerResponse | Http2ServerResponse): Emitting {
  return 'stream' in raw ? raw.stream : raw
}

/** Begins to count the bytes of a reply; null if others share its connection, or go first. */
function countBytes(raw: ServerResponse | Http2ServerResponse): ByteCounts | null {
  if ('stream' in raw || raw.socket === null) return null
  // What is received may belong to the next request.
  return new ByteCounts(raw.socket, false)
}

function isEventStream(headers: Readonly<Record<string, unknown>>): boolean {
  const type = headers['content-type']
  return typeof type === 'string' && type.slice(0, EVENT_STREAM.length).toLowerCase() === EVENT_STREAM
}
