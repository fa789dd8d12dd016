import { type Draft, Entry, type Format, type Lane } from './entry.js'
import { AuditSinkTimeout, AuditSinkUnavailable } from './errors.js'
import type { LifecycleDetails, LifecycleType } from './event.js'
import { Ledger } from './ledger.js'
import { Queue } from './queue.js'
import type { AuditSink, SinkContext, SinkLogger } from './sinks/sink.js'
import { type Settled, Turns } from './turns.js'

/** How often a sink is given time for itself, and probed after a failure, in milliseconds. */
const IDLE_INTERVAL = 1000

export interface DeliveryOptions {
  name: string
  enforced: boolean
  format: Format
  /** Milliseconds. */
  timeout: number
  maxQueue: number
  maxQueueBytes: number
  log: SinkLogger
  /** Makes the record of something in the trail's own life. */
  lifecycle: <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]) => Draft
}

/** What became of what a sink was offered, since the boot. */
export interface SinkStats {
  /** Everything that was given a `seq`: stored, refused, lost or in doubt. */
  offered: number
  stored: number
  /** Certainly not stored. */
  notStored: number
  /** Nobody knows whether these are stored. */
  inDoubt: number
  /** Not stored although the request was served, or its handler ran. */
  lost: number
  /** How often the sink's `write` was called. */
  batches: number
  queued: number
  queuedBytes: number
  healthy: boolean
}

/** Something to be called on the sink between two writes. */
interface Upkeep {
  run: () => Promise<void> | undefined
  settled: Settled
}

/**
 * One sink's lane: entries gather while a batch is being stored, and one `write` answers for all of them. It owns
 * the order (`seq`), the bounds, the timeout, the gaps and the health; the sink owns the storage.
 */
export class Delivery implements Lane, SinkContext {
  readonly name: string
  readonly enforced: boolean
  readonly log: SinkLogger

  private readonly queue: Queue
  private readonly ledger = new Ledger()
  /** What the sink's `write` was given and has not answered for. */
  private batch: Entry[] = []
  private readonly turns = new Turns(
    (timeout) => this.onOverdue(timeout),
    () => this.schedule(),
  )
  private readonly upkeep: Upkeep[] = []
  private failing = false
  private isFormatFailing = false
  private isScheduled = false
  private isIdleDue = false
  private isGapDue = false
  private isClosed = false
  private idleTimer: NodeJS.Timeout | undefined
  /** Who waits until the last entry that was there when they asked is answered for. */
  private flushing: Array<{ last: Entry | undefined; resolve: () => void }> = []
  /** A sink that hangs while it opens does not hold up the boot. */
  private whenOverdue = (): void => undefined

  constructor(
    private readonly sink: AuditSink,
    private readonly options: DeliveryOptions,
  ) {
    this.name = options.name
    this.enforced = options.enforced
    this.log = options.log
    this.queue = new Queue(options.maxQueue, options.maxQueueBytes)
  }

  /** Whether the last attempt to store succeeded, and none is overdue. */
  get healthy(): boolean {
    return !this.failing && !this.turns.isOverdue
  }

  stats(): SinkStats {
    return {
      offered: this.ledger.seq,
      ...this.ledger.counts,
      queued: this.queue.length + this.batch.length,
      queuedBytes: this.queue.bytes,
      healthy: this.healthy,
    }
  }

  /**
   * Opens the sink. Rejects with what must stop the boot; a sink that cannot store now, or does not answer within
   * `timeout` milliseconds, counts as failing and is given its time later.
   */
  open(timeout: number): Promise<void> {
    this.idleTimer = setInterval(() => {
      this.isIdleDue = true
      this.pump()
    }, IDLE_INTERVAL).unref()
    return new Promise((resolve, reject) => {
      this.turns.start(
        () => this.sink.open?.(this),
        timeout,
        (error) => {
          if (error === undefined) resolve()
          else {
            this.fails(error)
            if (error instanceof AuditSinkUnavailable) resolve()
            else reject(error)
          }
        },
      )
      this.whenOverdue = resolve
    })
  }

  /**
   * Takes an entry. False when it is refused or lost at once, which nobody is told of later; true when its waiter
   * will be.
   */
  offer(entry: Entry): boolean {
    const isRefused = this.isClosed || (this.turns.isOverdue && this.enforced)
    if (isRefused || !this.queue.hasRoomFor(entry)) {
      this.ledger.miss(entry)
      return false
    }
    this.queue.push(entry)
    if (!this.turns.isBusy) this.schedule()
    return true
  }

  record<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): void {
    const entry = this.entry(this.options.lifecycle(type, details), true)
    if (this.isClosed) {
      this.ledger.miss(entry)
      return
    }
    this.queue.pushOwn(entry)
    if (!this.turns.isBusy) this.schedule()
  }

  /** Resolves when everything that was offered until now, and what its answer led to at once, has been answered for. */
  async flush(): Promise<void> {
    await this.answered()
    await this.answered()
  }

  private answered(): Promise<void> {
    if (this.isClosed || (this.queue.length === 0 && !this.turns.isBusy)) return Promise.resolve()
    const last = this.queue.last ?? this.batch.at(-1)
    return new Promise((resolve) => this.flushing.push({ last, resolve }))
  }

  /** Has the sink open what is at its path now. */
  reopen(): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.upkeep.push({
        run: () => this.sink.reopen?.(),
        settled: (error) => {
          if (error === undefined) resolve()
          else {
            this.fails(error)
            reject(error)
          }
        },
      })
      this.pump()
    })
  }

  /**
   * Stores what is queued and the stop entry, then closes the sink; gives up after `budget` milliseconds. Never
   * rejects for what could not be stored: `stats()` says how much that is.
   */
  async close(budget: number, stop: () => LifecycleDetails['stop']): Promise<void> {
    await this.within(budget, async () => {
      await this.flush()
      this.offer(this.entry(this.options.lifecycle('stop', stop()), true))
      await this.flush()
      await this.closeSink()
    })
  }

  /** Closes the sink of a server that never started: nothing was offered. */
  async release(budget: number): Promise<void> {
    await this.within(budget, () => this.closeSink())
  }

  private async within(budget: number, close: () => Promise<void>): Promise<void> {
    let deadline: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, budget)
    })
    await Promise.race([close(), late])
    clearTimeout(deadline)
    this.abandon(budget)
  }

  private closeSink(): Promise<void> {
    clearInterval(this.idleTimer)
    return new Promise((resolve) => {
      this.upkeep.push({
        run: () => this.sink.close?.(),
        settled: (error) => {
          if (error !== undefined) this.fails(error)
          this.isClosed = true
          resolve()
        },
      })
      this.pump()
    })
  }

  /** Nothing more is stored: whoever waits is told so. */
  private abandon(budget: number): void {
    this.isClosed = true
    clearInterval(this.idleTimer)
    this.turns.giveUp(budget)
    this.dropQueue(() => true)
    this.tellFlushed(() => true)
  }

  /** Lets everything that arrives in this turn of the event loop gather first: half as many writes under load. */
  private schedule(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      this.pump()
    })
  }

  /** Starts the next call on the sink, if none is under way. */
  private pump(): void {
    if (this.turns.isBusy) return
    this.tellFlushed(({ last }) => last === undefined || last.fate !== 'pending')
    const next = this.upkeep.shift()
    // A sink that was given up is closed nevertheless, once it has answered: it may hold a lock.
    if (next !== undefined) this.turns.start(next.run, this.options.timeout, next.settled)
    else if (this.isClosed) return
    else if (this.isIdleDue) this.startIdle()
    else if (this.queue.length > 0 || this.isGapDue) this.startWrite()
  }

  private startIdle(): void {
    this.isIdleDue = false
    this.turns.start(
      () => this.sink.idle?.(),
      this.options.timeout,
      (error) => {
        if (error !== undefined) this.fails(error)
        else {
          this.isGapDue = this.ledger.hasGap
          // The gap that a failure left is written next, and shows better than `idle` whether the sink stores.
          if (!this.isGapDue) this.works()
        }
      },
    )
  }

  private startWrite(): void {
    this.isGapDue = false
    const batch = this.takeBatch()
    if (batch.length === 0) {
      this.ledger.settle(batch, undefined, false)
      this.pump()
    } else {
      this.batch = batch
      this.ledger.counts.batches++
      this.turns.start(
        // A copy: a sink that empties its array must not empty the list of those who wait.
        () => this.sink.write([...batch]),
        this.options.timeout,
        (error, late) => this.written(batch, error, late),
      )
    }
  }

  /** The next entries, each with its `seq` and its line, behind the gap if there is one to tell of. */
  private takeBatch(): Entry[] {
    const gap = this.ledger.tellGap((details) => this.entry(this.options.lifecycle('gap', details), false))
    return this.queue.take(gap).filter((entry) => this.write(entry))
  }

  /** Gives an entry its `seq` and its line; false when its format fails, which is this entry's loss alone. */
  private write(entry: Entry): boolean {
    this.ledger.number(entry)
    try {
      entry.line = this.options.format(entry.draft, entry.seq)
      this.isFormatFailing = false
      return true
    } catch (error) {
      if (!this.isFormatFailing) {
        const message = 'the format of an audit sink failed: entries that it fails for are not stored'
        this.log.error({ err: error, sink: this.name }, message)
      }
      this.isFormatFailing = true
      this.ledger.lose(entry, 'not stored')
      this.tell([entry], 'in time')
      return false
    }
  }

  private onOverdue(timeout: number): void {
    this.fails(new AuditSinkTimeout(this.name, String(timeout)))
    this.ledger.doubt(this.batch)
    this.tell(this.batch, 'overdue')
    if (this.enforced) this.dropQueue((entry) => entry.waiter !== null)
    this.whenOverdue()
  }

  /** Gives up what is queued and would wait for a sink that does not answer. */
  private dropQueue(isDropped: (entry: Entry) => boolean): void {
    const dropped = this.queue.drop(isDropped)
    for (const entry of dropped) this.ledger.miss(entry)
    this.tell(dropped, 'in time')
  }

  /** An entry that nobody waits for. */
  private entry(draft: Draft, countsAsLost: boolean): Entry {
    return new Entry(draft, this, null, countsAsLost)
  }

  private written(batch: Entry[], error: unknown, late: boolean): void {
    this.batch = []
    if (this.ledger.settle(batch, error, late)) this.works()
    else this.fails(error)
    this.tell(batch, late ? 'late' : 'in time')
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
        process.nextTick(rethrow, error)
      }
    }
  }

  private tellFlushed(isDone: (asked: { last: Entry | undefined }) => boolean): void {
    if (this.flushing.length === 0) return
    const asked = this.flushing
    this.flushing = asked.filter((one) => !isDone(one))
    for (const one of asked) if (isDone(one)) one.resolve()
  }

  private fails(error: unknown): void {
    if (this.failing) return
    this.failing = true
    const effect = this.enforced
      ? 'requests are refused until it works again'
      : 'its entries are lost until it works again'
    this.log.error({ err: error, sink: this.name }, `audit sink "${this.name}" fails: ${effect}`)
  }

  private works(): void {
    if (!this.failing) return
    this.failing = false
    this.log.info({ sink: this.name, ...this.ledger.counts }, `audit sink "${this.name}" works again`)
  }
}

function rethrow(error: unknown): void {
  throw error
}
