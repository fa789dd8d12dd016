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
  /** Makes the record of an event in the trail's own life. */
  readonly lifecycle: <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]) => Draft
  /** Seals the lines, if the sink is sealed. */
  readonly seal: Seal | null
}

/** The entries that one sink has not been given or has not answered for, and those who wait for them. */
export class PendingEntries {
  private readonly accounting = new DeliveryAccounting()
  private readonly queue: Queue
  /** The batch that `write` was given and has not answered for. */
  private batch: Entry[] = []
  private isFormatFailing = false
  /** Callers of `answered`, each with the last entry that was there when it asked. */
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

  /** Whether so many entries wait that waiting for more gains nothing, or fills the queue. */
  get isAmple(): boolean {
    return this.queue.isAmple
  }

  /** Whether the queue is empty. */
  get isEmpty(): boolean {
    return this.queue.length === 0
  }

  /** Whether a caller of `answered` waits. */
  get isAwaited(): boolean {
    return this.flushing.length > 0
  }

  /** Whether entries are lost that the trail has not reported yet. */
  get hasGap(): boolean {
    return this.accounting.hasGap
  }

  /** The number of entries of each fate. */
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

  /** Takes an entry about the trail's own life. It goes before all others, and no bound keeps it out. */
  pushOwn(entry: Entry): void {
    this.queue.pushOwn(entry)
  }

  /** Takes the next batch, each entry with its `seq` and its line; a gap, if there is one, goes first. */
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

  /** Tells the waiters of the batch that it is overdue. They stay registered for its final outcome. */
  doubt(): void {
    this.accounting.doubt(this.batch)
    this.tell(this.batch, 'overdue')
  }

  /** Takes the sink's answer for the batch: tells `tellHealth` whether anything is stored, then tells the waiters. */
  settle(error: unknown, late: boolean, tellHealth: (isAnyStored: boolean) => void): void {
    const { batch } = this
    this.batch = []
    const isAnyStored = this.accounting.settle(batch, error, late)
    this.options.seal?.settle(batch)
    tellHealth(isAnyStored)
    this.tell(batch, late ? 'late' : 'in time')
  }

  /** Gives up the queued entries that `isDropped` picks. */
  drop(isDropped: (entry: Entry) => boolean): void {
    const dropped = this.queue.drop(isDropped)
    for (const entry of dropped) this.accounting.miss(entry)
    this.tell(dropped, 'in time')
  }

  /** Resolves, by `tellFlushed`, when all entries that are here now have their fates. */
  answered(): Promise<void> {
    const last = this.queue.last ?? this.batch.at(-1)
    return new Promise((resolve) => this.flushing.push({ last, resolve }))
  }

  /** Tells the callers of `answered` whose entries have their fates, or `everyone`. */
  tellFlushed(everyone = false): void {
    if (this.flushing.length === 0) return
    const isDone = ({ last }: { last: Entry | undefined }) => everyone || last === undefined || last.fate !== 'pending'
    const asked = this.flushing
    this.flushing = asked.filter((one) => !isDone(one))
    for (const one of asked) if (isDone(one)) one.resolve()
  }

  /** Makes an entry about the trail's own life that does not count as lost with its batch: it is made again. */
  private own<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Entry {
    return new Entry(this.options.lifecycle(type, details), this.lane, null, false)
  }

  /** Gives an entry its `seq` and its line. Returns false if its format fails, which loses this entry alone. */
  private write(entry: Entry, isOwn: boolean): boolean {
    this.accounting.number(entry)
    try {
      this.setLine(entry, this.options.format(entry.draft, entry.seq))
      this.isFormatFailing = false
      return true
    } catch (error) {
      this.logFormat(error)
      if (isOwn) {
        // A gap and the chain's own entries are written even if the format fails.
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
    const { log, name } = this.options
    const effect = 'entries that it fails for are not stored'
    log.error({ err: error, sink: name }, `the format of audit sink "${name}" failed: ${effect}`)
  }

  /**
   * Tells the waiters. A waiter told that its entry is overdue stays registered for the final outcome. An error that a
   * waiter throws is rethrown in a later tick, so that the others are told too.
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
