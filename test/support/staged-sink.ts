import { BatchError } from '../../src/sinks/batch-error.js'
import type { AuditEntry, AuditSink } from '../../src/sinks/sink.js'
import { validateLine } from './schema.js'

/** A sink's behaviour for the entries of one stage. */
export type Behaviour = 'stores' | 'fails' | 'hangs' | 'is slow'

/** For a sink whose timeout nothing may run into: longer than any test. */
export const NEVER = '1h'

/** For a sink that hangs, where the test waits for nothing but its timeout. */
export const SOON = '10ms'

/** Turns of the event loop that a slow sink takes for one batch: more than any reply needs to come about. */
const SLOW_TURNS = 12

/** A sink whose behaviour is chosen for each stage; every line that it stores is held to the published schema. */
export class StagedSink implements AuditSink {
  received: Behaviour = 'stores'
  /** Also of the record of an event, which has no stage. */
  complete: Behaviour = 'stores'
  end: Behaviour = 'stores'
  /** Corrections and the trail's own life. */
  others: Behaviour = 'stores'
  readonly stored: AuditEntry[] = []
  private readonly hanging: Array<{ store: () => void; fail: (error: Error) => void }> = []

  async write(batch: readonly AuditEntry[]): Promise<void> {
    const behaviours = batch.map((entry) => this.behaviourFor(entry))
    if (behaviours.includes('is slow')) await turns(SLOW_TURNS)
    if (behaviours.includes('hangs')) await new Promise<void>((store, fail) => this.hanging.push({ store, fail }))
    const failed = batch.filter((_, index) => behaviours[index] === 'fails')
    for (const entry of batch) {
      if (failed.includes(entry)) continue
      validateLine(entry.line)
      this.stored.push(entry)
    }
    if (failed.length > 0) throw new BatchError({ failed })
  }

  /** A write waits to be told how it ends. */
  get isHanging(): boolean {
    return this.hanging.length > 0
  }

  /** Stores hanging writes, and everything from now on. */
  recover(): void {
    this.received = 'stores'
    this.complete = 'stores'
    this.others = 'stores'
    for (const { store } of this.hanging.splice(0)) store()
  }

  /** Stores no hanging writes, but everything from now on. */
  giveUp(): void {
    const hanging = this.hanging.splice(0)
    this.recover()
    for (const { fail } of hanging) fail(new Error('nothing of it is stored'))
  }

  /**
   * The trail's records of requests, one word and status each: `Received`, `Complete 200`, `correction 500`. With
   * `error` where there is one. Without the ends of replies.
   */
  trail(): string[] {
    return this.stored.flatMap(({ event: { payload } }) => {
      if (payload.type === 'correction') return [withError('correction', payload.correction)]
      if (payload.type !== 'audit') return []
      if (payload.stage === 'OperationReceived') return ['Received']
      const { aborted } = payload.response ?? {}
      return [withError(aborted ? 'Complete aborted' : 'Complete', payload.response ?? {})]
    })
  }

  /** The end entries, how and why: `closed`, `failed (no more)`. */
  ends(): string[] {
    return this.endPayloads().map(({ end }) => withError(end.how, { error: end.error }))
  }

  /** The payloads of the end entries. */
  endPayloads() {
    return this.stored.flatMap(({ event: { payload } }) => (payload.type === 'end' ? [payload] : []))
  }

  /** The ids of the exchanges that it knows of. */
  ids(): Set<string> {
    return new Set(
      this.stored.filter(({ event }) => isOfExchange(event.payload.type)).map(({ event }) => event.payload.id),
    )
  }

  private behaviourFor({ event: { payload } }: AuditEntry): Behaviour {
    if (payload.type === 'end') return this.end
    if (payload.type !== 'audit' && payload.type !== 'action') return this.others
    return payload.stage === 'OperationReceived' ? this.received : this.complete
  }
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets it turn until something holds; a test that waits in vain fails by its own timeout. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turns(1)
}

function isOfExchange(type: string): boolean {
  return type === 'audit' || type === 'correction'
}

function withError(word: string, { status_code, error }: { status_code?: number; error?: string | undefined }): string {
  return [word, status_code, error && `(${error})`].filter((part) => part !== undefined).join(' ')
}
