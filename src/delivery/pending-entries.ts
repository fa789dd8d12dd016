import { nextTick } from '../clock.js'
import { type Draft, type Format, jsonFormat } from '../event/draft.js'
import type { LifecycleDetails, LifecycleType } from '../event/event.js'
import type { SinkLogger } from '../logger.js'
import { DeliveryAccounting, type DeliveryCounts } from './accounting.js'
import { Entry, type Lane } from './entry.js'
import { Queue } from './queue.js'
import type { Seal } from './seal/seal.js'

export interface PendingOptions {
  /** The sink's name. */
  readonly name: string
  readonly format: Format
  readonly maxQueue: number
  readonly maxQueueBytes: number
  readonly log: SinkLogger
  /** Makes the record of something in the trail's own life. */
  readonly lifecycle: <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]) => Draft
  /** What seals the lines, if anything does. */
  readonly seal: Seal | null
}

/** What one sink is still to be given, and what it has not answered for: until then, whoever waits for it is here. */
export class PendingEntries {
  private readonly accounting = new DeliveryAccounting()
  private readonly queue: Queue
  /** What the sink's `write` was given and has not answered for. */
  private batch: Entry[] = []
  private isFormatFailing = false
  /** Who waits until the last entry that was there when they asked is answered for. */
  private flushing: Array<{ last: Entry | undefined; resolve: () => void }> = []

  constructor(
    private readonly lane: Lane,
    private readonly options: PendingOptions,
  ) {
    this.queue = new Queue(options.maxQueue, options.maxQueueBytes)
  }

  get length(): number {
    return this.queue.length
  }

  /** So much waits that waiting for more gains nothing, or fills it. */
  get isAmple(): boolean {
    return this.queue.isAmple
  }

  /** Nothing waits for its turn. */
  get isEmpty(): boolean {
    return this.queue.length === 0
  }

  /** Somebody waits for what is here to be answered for. */
  get isAwaited(): boolean {
    return this.flushing.length > 0
  }

  /** Entries are lost, and the trail does not say so yet. */
  get hasGap(): boolean {
    return this.accounting.hasGap
  }

  /** How many entries had which fate. */
  get counts(): Readonly<DeliveryCounts> {
    return this.accounting.counts
  }

  stats(): DeliveryCounts & { offered: number; queued: number; queuedBytes: number } {
    const { accounting, queue, batch } = this
    return {
      offered: accounting.seq,
      ...accounting.counts,
      queued: queue.length + batch.length,
      queuedBytes: queue.bytes,
    }
  }

  /** Counts an entry that is refused or lost before the sink was given it. */
  miss(entry: Entry): void {
    this.accounting.miss(entry)
  }

  /** Takes the last `count` stored entries for entries in doubt. */
  doubtStored(count: number): void {
    this.accounting.doubtStored(count)
  }

  hasRoomFor(entry: Entry): boolean {
    return this.queue.hasRoomFor(entry)
  }

  push(entry: Entry): void {
    this.queue.push(entry)
  }

  /** Takes an entry about the trail's own life, which goes before all others and which no bound keeps out. */
  pushOwn(entry: Entry): void {
    this.queue.pushOwn(entry)
  }

  /** The next entries, each with its `seq` and its line, behind the gap if there is one to tell of. */
  take(): Entry[] {
    const gap = this.accounting.tellGap((details) => this.own('gap', details))
    const taken = this.queue.take(gap)
    const isOwn = (entry: Entry) => entry === gap
    this.batch =
      this.options.seal === null
        ? taken.filter((entry) => this.write(entry, isOwn(entry)))
        : this.options.seal.take(taken, {
            introduction: (details) => this.own('seal', details),
            checkpoint: (details) => this.own('checkpoint', details),
            write: (entry, isChains) => this.write(entry, isChains || isOwn(entry)),
          })
    if (this.batch.length > 0) this.accounting.countBatch()
    return this.batch
  }

  /** The batch is past its timeout: whoever waits for it is told so, and still waits for its fate. */
  doubt(): void {
    this.accounting.doubt(this.batch)
    this.tell(this.batch, 'overdue')
  }

  /** The sink's answer for the batch; `tellHealth` is told whether anything of it is stored before its waiters are. */
  settle(error: unknown, late: boolean, tellHealth: (isAnyStored: boolean) => void): void {
    const { batch } = this
    this.batch = []
    const isAnyStored = this.accounting.settle(batch, error, late)
    this.options.seal?.settle(batch)
    tellHealth(isAnyStored)
    this.tell(batch, late ? 'late' : 'in time')
  }

  /** Gives up what is queued. */
  drop(isDropped: (entry: Entry) => boolean): void {
    const dropped = this.queue.drop(isDropped)
    for (const entry of dropped) this.accounting.miss(entry)
    this.tell(dropped, 'in time')
  }

  /** Resolves, by `tellFlushed`, when everything that is here now has been answered for. */
  answered(): Promise<void> {
    const last = this.queue.last ?? this.batch.at(-1)
    return new Promise((resolve) => this.flushing.push({ last, resolve }))
  }

  /** Tells those whose entries are answered for, or `everyone`. */
  tellFlushed(everyone = false): void {
    if (this.flushing.length === 0) return
    const isDone = ({ last }: { last: Entry | undefined }) => everyone || last === undefined || last.fate !== 'pending'
    const asked = this.flushing
    this.flushing = asked.filter((one) => !isDone(one))
    for (const one of asked) if (isDone(one)) one.resolve()
  }

  /** An entry about the trail's own life that is not lost with its batch: it is made again. */
  private own<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Entry {
    return new Entry(this.options.lifecycle(type, details), this.lane, null, false)
  }

  /** Gives an entry its `seq` and its line; false when its format fails, which is this entry's loss alone. */
  private write(entry: Entry, isOwn: boolean): boolean {
    this.accounting.number(entry)
    try {
      this.setLine(entry, this.options.format(entry.draft, entry.seq))
      this.isFormatFailing = false
      return true
    } catch (error) {
      this.logFormat(error)
      if (isOwn) {
        // What the trail lacks, and how it goes on, is told whatever the format makes of it.
        this.setLine(entry, jsonFormat(entry.draft, entry.seq))
        return true
      }
      this.accounting.lose(entry, 'not stored')
      this.tell([entry], 'in time')
      return false
    }
  }

  private setLine(entry: Entry, line: string): void {
    const { seal } = this.options
    entry.line = seal === null ? line : seal.seal(line)
  }

  private logFormat(error: unknown): void {
    if (this.isFormatFailing) return
    this.isFormatFailing = true
    const message = 'the format of an audit sink failed: entries that it fails for are not stored'
    this.options.log.error({ err: error, sink: this.options.name }, message)
  }

  /**
   * Tells whoever waits; who is told of an overdue entry still waits for its fate. What one of them throws is thrown
   * on, but keeps no other from being told.
   */
  private tell(entries: readonly Entry[], when: 'in time' | 'overdue' | 'late'): void {
    for (const entry of entries) {
      const waiter = entry.waiter
      if (waiter === null) continue
      if (when !== 'overdue') entry.waiter = null
      try {
        if (when === 'late') waiter.resolved(entry)
        else waiter.settled(entry)
      } catch (error) {
        nextTick(rethrow, error)
      }
    }
  }
}

function rethrow(error: unknown): void {
  throw error
}
