import { expect, onTestFinished, vi } from 'vitest'
import { Delivery, type DeliveryOptions } from '../../src/delivery/delivery.js'
import { Entry, type Waiter } from '../../src/delivery/entry.js'
import { Draft, jsonFormat } from '../../src/event/draft.js'
import type { LifecycleDetails } from '../../src/event/event.js'
import { stampOf, writeLifecycle, writePayload } from '../../src/event/formats/json.js'
import { ANONYMOUS, writeAuth } from '../../src/event/formats/json-auth.js'
import { RequestWriter } from '../../src/event/formats/json-request.js'
import type { AuditEntry, AuditSink } from '../../src/sinks/sink.js'
import { newChanges } from './changes.js'
import { validateLine } from './schema.js'

const TIME = '2026-03-24T17:09:35.704Z'
const ID = '8b826146-b264-4f15-8526-29cb905145aa'
const INSTANCE = '21c6f97a-fbfb-4090-8e34-34d1ece57cc2'

/** Timers of this test are moved by hand: nothing waits for real time. Turns of the event loop are real ones. */
export function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Lets everything that is due now happen. */
export async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
  // An offer, and each call on the sink that follows it, take a turn of the event loop.
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function draft(tail: string): Draft {
  return new Draft(`{"created_at":"${TIME}","event_type":"audit","instance":"${INSTANCE}","seq":`, tail, false)
}

/** A record of a request for `endpoint`. */
export function requestDraft(endpoint: string): Draft {
  const facts = {
    id: 'req-1',
    operation: 'GET',
    endpoint,
    route: undefined,
    namespace: 'default',
    host: '',
    userAgent: undefined,
    sourceIps: undefined,
    traceparent: undefined,
    connection: { remote: '127.0.0.1:1', local: '127.0.0.1:2', origin: null },
  }
  const changes = newChanges()
  const auth = writeAuth(ANONYMOUS, changes)
  const request = new RequestWriter().writeFacts(facts, undefined, changes)
  return draft(
    writePayload({ id: ID, stage: 'OperationReceived', stamp: stampOf(TIME), auth, request, rest: '' }, changes),
  )
}

type Answer = { resolve: () => void; reject: (error: unknown) => void }

/**
 * A sink whose every call waits for the test's answer, or gets the one that is set; it fails the test when two calls
 * overlap or one comes after `close`.
 */
export class ProbeSink implements AuditSink {
  readonly calls: string[] = []
  readonly batches: AuditEntry[][] = []
  /** The entries that are certainly stored. */
  readonly stored: AuditEntry[] = []
  /** The batch of the write that waits for an answer. */
  pendingBatch: readonly AuditEntry[] | null = null
  pending: Answer | null = null
  /** The immediate answer to calls; null if they wait for the test. */
  auto: 'store' | 'fail' | null = 'store'
  private active = 0
  private isClosed = false

  open?: () => Promise<void> = () => this.call('open')
  idle?: () => Promise<void> = () => this.call('idle')
  reopen?: () => Promise<void> = () => this.call('reopen')
  write = (batch: readonly AuditEntry[]): Promise<void> => {
    this.batches.push([...batch])
    return this.call('write', batch)
  }
  close = (): Promise<void> => {
    const closing = this.call('close')
    this.isClosed = true
    return closing
  }

  get endpoints(): string[] {
    return this.stored.map(endpointOf)
  }

  get lastBatch(): AuditEntry[] {
    return this.batches.at(-1) ?? []
  }

  /** Answers the call that waits. */
  answer(how: 'store' | unknown = 'store'): void {
    const { pending } = this
    if (pending === null) throw new Error('no call waits for an answer')
    if (how === 'store') pending.resolve()
    else pending.reject(how)
  }

  private async call(name: string, batch: readonly AuditEntry[] | null = null): Promise<void> {
    this.calls.push(name)
    expect(this.active, `${name} while another call is under way`).toBe(0)
    expect(this.isClosed, `${name} after close`).toBe(false)
    this.active++
    try {
      if (this.auto === 'fail') throw new Error('told to fail')
      if (this.auto === null) {
        this.pendingBatch = batch
        await new Promise<void>((resolve, reject) => {
          this.pending = { resolve, reject }
        })
      }
      if (batch !== null) this.stored.push(...batch)
    } finally {
      this.active--
      this.pending = null
      this.pendingBatch = null
    }
  }
}

export function endpointOf({ event }: AuditEntry): string {
  return 'request' in event.payload ? event.payload.request.endpoint : event.payload.type
}

/** The gap that an entry tells of. */
export function gapOf(entry: AuditEntry | undefined): LifecycleDetails['gap'] | undefined {
  const payload = entry?.event.payload
  return payload?.type === 'gap' ? payload.gap : undefined
}

/** A waiter for an entry, and the answers that it got. */
class Witness implements Waiter {
  readonly takesReserve = true
  readonly told: string[] = []
  settled(entry: Entry): void {
    this.told.push(entry.fate)
  }
  resolved(entry: Entry): void {
    this.told.push(`after all ${entry.fate}`)
  }
}

/** One offer: the answer of `offer`, the entry, and the answers to its waiter. */
export interface Offered {
  isTaken: boolean
  entry: Entry
  told: readonly string[]
}

export interface LaneFixture {
  delivery: Delivery
  sink: ProbeSink
  /** Level and message of each log line. */
  logged: string[]
  /** Offers a Received, with a waiter. */
  ask(endpoint: string): Offered
  /** Offers an entry that counts as lost if it is not stored, with a waiter if `waits`. */
  tell(endpoint: string, waits?: boolean): Offered
}

export function laneOf(more: Partial<DeliveryOptions> & { sink?: AuditSink } = {}): LaneFixture {
  const probe = new ProbeSink()
  const logged: string[] = []
  const log = (level: string) => (_: object, message: string) => void logged.push(`${level} ${message}`)
  const { sink = probe, ...options } = more
  const delivery = new Delivery(sink, {
    name: 'audit',
    enforced: true,
    format: jsonFormat,
    timeout: 10_000,
    maxQueue: 10_000,
    maxQueueBytes: 64 * 1024 * 1024,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    lifecycle: (type, details) => draft(writeLifecycle(type, ID, TIME, details)),
    ...options,
  })
  const offer = (endpoint: string, waits: boolean, countsAsLost: boolean): Offered => {
    const witness = new Witness()
    const entry = new Entry(requestDraft(endpoint), delivery, waits ? witness : null, countsAsLost)
    const isTaken = delivery.offer(entry)
    return { told: witness.told, isTaken, entry }
  }
  return {
    delivery,
    sink: probe,
    logged,
    ask: (endpoint) => offer(endpoint, true, false),
    tell: (endpoint, waits = false) => offer(endpoint, waits, true),
  }
}

/** The stop entry's numbers, as the trail takes them. */
export function stopOf(delivery: Delivery): () => LifecycleDetails['stop'] {
  return () => {
    const { stored, lost, inDoubt } = delivery.stats()
    return { stored, lost, in_doubt: inDoubt, open: 0 }
  }
}

/** Expects every line to fit the schema, the numbers to rise, and every number to be accounted for. */
export function expectWholeAccount(stored: readonly AuditEntry[], offered: number, refused: ReadonlySet<number>): void {
  const accounted = new Set(refused)
  let last = 0
  for (const entry of stored) {
    const { seq } = validateLine(entry.line)
    expect(seq, 'numbers rise').toBeGreaterThan(last)
    last = seq
    accounted.add(seq)
    const gap = gapOf(entry)
    if (gap !== undefined) for (let missing = gap.from; missing <= gap.to; missing++) accounted.add(missing)
  }
  const unaccounted = []
  for (let seq = 1; seq <= offered; seq++) if (!accounted.has(seq)) unaccounted.push(seq)
  expect(unaccounted, 'numbers that the trail does not explain').toEqual([])
}
