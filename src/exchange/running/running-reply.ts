import type { Clock } from '../../clock.js'
import type { Dispatcher } from '../../delivery/dispatcher.js'
import type { EndBuilder } from '../../event/end-builder.js'
import { EXCLUDES_COMPLETE } from '../../policy/stages.js'
import type { ExchangeCounter } from '../../runtime/counts.js'
import type { Running, RunningReplies } from '../../runtime/running-replies.js'
import type { Ending, Watched } from './ending.js'

/** Milliseconds after Complete from which on every reply has an end entry. */
const LONG = 1000

/** Parts that all running replies of one server share. */
export interface RunningContext {
  readonly envelope: { readonly clock: Clock }
  readonly dispatcher: Dispatcher
  readonly running: RunningReplies
  readonly counts: ExchangeCounter
}

/** A reply that goes on after its Complete. Tells the sinks how it ended, if that is worth an entry. */
export class RunningReply implements Running {
  previous: Running | null = null
  following: Running | null = null
  /** Monotonic time at which its bytes began to go out. */
  private since = 0
  private state: 'waiting' | 'running' | 'over' = 'waiting'

  constructor(
    private readonly context: RunningContext,
    private readonly record: EndBuilder,
    private readonly watched: Watched,
    /** Sinks that do not record this reply's Complete. */
    private readonly exclusions: number,
  ) {}

  /** Returns false if something was cut or left out, and null if it is too late. */
  annotate(values: Readonly<Record<string, unknown>>): boolean | null {
    return this.state === 'over' ? null : this.record.annotate(values)
  }

  /** Follows the reply from now on; `send` lets its bytes out, and is null if they are out. */
  begin(send: (() => void) | null): void {
    const { context, watched } = this
    if (this.state !== 'waiting' || context.running.isClosed) {
      send?.()
      return
    }
    this.state = 'running'
    this.since = context.envelope.clock.monotonic()
    context.running.add(this)
    watched.begin((ending) => this.end(ending), send !== null)
    send?.()
    watched.check()
  }

  /** Forgets a reply that is not sent after all. */
  drop(): void {
    if (this.state === 'running') this.context.running.remove(this)
    this.state = 'over'
  }

  check(): void {
    if (this.state === 'running') this.watched.check()
  }

  cutOff(): void {
    this.end(this.watched.closing ?? { how: 'aborted', error: 'server closed' })
  }

  private end(ending: Ending): void {
    if (this.state !== 'running') return
    this.drop()
    if (ending.how === 'closed' && !this.isWorthAnEntry()) return
    const { context, watched, exclusions } = this
    context.counts.add('ended')
    context.dispatcher.tell(this.record.build({ ...ending, ...watched.bytes() }), exclusions, EXCLUDES_COMPLETE)
  }

  private isWorthAnEntry(): boolean {
    return this.watched.isLong || this.record.isAnnotated || this.elapsed() > LONG
  }

  private elapsed(): number {
    return this.context.envelope.clock.monotonic() - this.since
  }
}
