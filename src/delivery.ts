import { type Draft, Entry, type Format, type Lane, OwnEntry } from './entry.js'
import { AuditSinkTimeout, AuditSinkUnavailable, BatchError } from './errors.js'
import type { LifecycleDetails, LifecycleType } from './event.js'
import { Gathering } from './gathering.js'
import { Health } from './health.js'
import type { Seal } from './integrity/seal.js'
import type { Sealer } from './integrity/sealer.js'
import { Outbox } from './outbox.js'
import type { AuditSink, SinkContext, SinkLogger } from './sinks/sink.js'
import { Turns } from './turns.js'
import { type AskedCall, Upkeep } from './upkeep.js'

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
  /** What seals the lines, if anything does. */
  seal?: Seal | null
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

/**
 * One sink's lane: entries gather while a batch is being stored, and one `write` answers for all of them. It decides
 * when the sink is called for what, from opening to closing, and whether it is healthy; the outbox has the entries,
 * the sink the storage.
 */
export class Delivery implements Lane, SinkContext {
  readonly name: string
  readonly enforced: boolean
  readonly log: SinkLogger

  private readonly seal: Seal | null
  private readonly outbox: Outbox
  private readonly upkeep: Upkeep
  private readonly health: Health
  private readonly gathering: Gathering
  private readonly turns = new Turns(
    (timeout) => this.onOverdue(timeout),
    () => {
      if (this.isCallDue) this.gathering.schedule()
    },
  )
  private isIdleDue = false
  /** Something is to be written although nothing is queued: a gap, or a checkpoint. */
  private isWriteDue = false
  private idleTimer: NodeJS.Timeout | undefined
  /** What the trail begins with, unless the sink refuses it for good. */
  private start: Entry | null = null
  /** Nothing more is taken: the sink is being closed, is closed, or was given up. */
  private isClosed = false
  /** A sink that hangs while it opens does not hold up the boot. */
  private whenOverdue = (): void => undefined

  constructor(
    private readonly sink: AuditSink,
    private readonly options: DeliveryOptions,
  ) {
    this.name = options.name
    this.enforced = options.enforced
    this.seal = options.seal ?? null
    this.log = options.log
    this.health = new Health(options.name, options.enforced, options.log)
    this.upkeep = new Upkeep(sink)
    this.outbox = new Outbox(this, { ...options, seal: this.seal })
    this.gathering = new Gathering(() => this.pump(), this.outbox)
  }

  /** Whether the last attempt to store succeeded, and none is overdue. */
  get healthy(): boolean {
    return !this.health.isFailing && !this.turns.isOverdue
  }

  stats(): SinkStats {
    const { ledger, counts } = this.outbox
    return { offered: ledger.seq, ...ledger.counts, ...counts, healthy: this.healthy }
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
            this.health.fails(error)
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
    if (isRefused || !this.outbox.hasRoomFor(entry)) {
      this.outbox.ledger.miss(entry)
      return false
    }
    this.outbox.push(entry)
    if (!this.turns.isBusy) this.gathering.schedule()
    return true
  }

  /** Offers what the trail begins with; when the sink fails, once more as soon as it works. */
  begin(draft: Draft): void {
    this.start = new Entry(draft, this, null, true)
    this.offer(this.start)
  }

  record<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): void {
    const entry = new OwnEntry(this.options.lifecycle(type, details), this, null, true)
    if (this.isClosed) {
      this.outbox.ledger.miss(entry)
      return
    }
    this.outbox.pushOwn(entry)
    if (type === 'rotation') this.seal?.checkpoints?.want()
    if (!this.turns.isBusy) this.gathering.schedule()
  }

  doubt(entries: number): void {
    this.outbox.ledger.doubtStored(entries)
  }

  /** Resolves when everything that was offered until now, and what its answer led to at once, has been answered for. */
  async flush(): Promise<void> {
    await this.answered()
    await this.answered()
  }

  /** Has the sink open what is at its path now. */
  reopen(): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    const reopened = this.upkeep.reopen()
    this.pump()
    return reopened
  }

  /**
   * Stores what is queued and the stop entry, then closes the sink; gives up after `budget` milliseconds. Never
   * rejects for what could not be stored: `stats()` says how much that is.
   */
  async close(budget: number, stop: () => LifecycleDetails['stop']): Promise<void> {
    let isStopping = false
    const offerStop = (): void => {
      if (!isStopping) this.offer(this.entry('stop', stop()))
      isStopping = true
    }
    const drain = async (): Promise<void> => {
      await this.flush()
      // A rotation that is due is recorded now: behind the stop entry it would say that something came after it.
      this.isIdleDue = true
      this.pump()
      await this.flush()
      offerStop()
      await this.flush()
      await this.lastCheckpoint()
      await this.closeSink()
    }
    await this.within(budget, drain())
    // Of a sink that was given up before, it is one more that is lost.
    offerStop()
  }

  /** Tells whoever waits for a call that is under way that its outcome is in doubt, `timeout` milliseconds after they asked. */
  giveUpWaiting(timeout: number): void {
    if (this.enforced) this.turns.giveUp(timeout)
  }

  /** Closes the sink of a server that never started: nothing was offered. */
  async release(budget: number): Promise<void> {
    await this.within(budget, this.closeSink())
  }

  /** Signs the end of the chain, and waits until that has been kept elsewhere. */
  private async lastCheckpoint(): Promise<void> {
    const { seal } = this
    if (seal === null || seal.checkpoints === null) return
    seal.checkpoints.want()
    this.isWriteDue = seal.isDue
    this.pump()
    await this.flush()
    await seal.checkpoints.handedOut()
  }

  /** The sink is to be called, or somebody waits for there being nothing left. */
  private get isCallDue(): boolean {
    return !this.outbox.isEmpty || this.isWriteDue || this.isIdleDue || this.upkeep.isAsked || this.outbox.isAwaited
  }

  private answered(): Promise<void> {
    if (this.isClosed || (this.outbox.isEmpty && !this.turns.isBusy)) return Promise.resolve()
    return this.outbox.answered()
  }

  /** Waits until the sink is closed; what takes longer than `budget` is given up, but it is closed then too. */
  private async within(budget: number, closed: Promise<void>): Promise<void> {
    let deadline: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, budget)
    })
    await Promise.race([closed, late])
    clearTimeout(deadline)
    this.abandon(budget)
    this.closeSink()
  }

  private closeSink(): Promise<void> {
    clearInterval(this.idleTimer)
    const closed = this.upkeep.close()
    this.pump()
    return closed
  }

  /** Nothing more is stored: whoever waits is told so. */
  private abandon(budget: number): void {
    this.isClosed = true
    clearInterval(this.idleTimer)
    this.turns.giveUp(budget)
    this.outbox.drop(() => true)
    this.outbox.tellFlushed(true)
    this.upkeep.giveUp(this.timedOut(budget))
  }

  /** Starts the next call on the sink, if none is under way. */
  private pump(): void {
    if (this.turns.isBusy) return
    this.outbox.tellFlushed()
    // A sink that was given up is closed nevertheless, once it has answered: it may hold a lock.
    const asked = this.upkeep.next()
    if (asked !== null) this.startAsked(asked)
    else if (this.isClosed) return
    else if (this.isIdleDue) this.startIdle()
    else if (!this.outbox.isEmpty || this.isWriteDue) this.startWrite()
  }

  private startAsked({ run, settled, isLast }: AskedCall): void {
    if (isLast) this.isClosed = true
    this.turns.start(run, this.options.timeout, (error) => {
      if (error !== undefined) this.health.fails(error)
      settled(error)
    })
  }

  private startIdle(): void {
    this.isIdleDue = false
    this.turns.start(
      () => this.sink.idle?.(),
      this.options.timeout,
      (error) => {
        if (error !== undefined) this.health.fails(error)
        else {
          this.isWriteDue = this.outbox.ledger.hasGap || this.seal?.isDue === true
          // What is written next, such as the gap that a failure left, shows better than `idle` whether the sink stores.
          if (!this.isWriteDue) this.works()
        }
      },
    )
  }

  private startWrite(): void {
    if (this.seal?.sealer.isLost === true) {
      this.startTail(this.seal.sealer)
      return
    }
    this.isWriteDue = false
    const batch = this.outbox.take()
    if (batch.length === 0) {
      this.pump()
      return
    }
    this.outbox.ledger.counts.batches++
    this.turns.start(
      // A copy: a sink that empties its array must not empty the list of those who wait.
      () => this.sink.write([...batch]),
      this.options.timeout,
      (error, late) => {
        this.gathering.wrote(this.turns.took)
        this.outbox.settle(error, late, (isAnyStored) => {
          if (error instanceof BatchError && error.failed.some((entry) => entry === this.start)) this.start = null
          // At once: what is not signed for could still be written anew.
          if (isAnyStored && this.seal?.isDue === true) this.isWriteDue = true
          if (isAnyStored) this.works()
          else this.health.fails(error)
        })
      },
    )
  }

  private works(): void {
    const { isFailing } = this.health
    this.health.works(this.outbox.ledger.counts)
    // Of a server that started while its sink failed, nothing else in the trail says who wrote it, and by which rules.
    if (isFailing && this.start?.fate === 'not stored') this.begin(this.start.draft)
  }

  /** Finds the line that the next one follows: after the boot, and when nobody knows what became of a batch. */
  private startTail(sealer: Sealer): void {
    const { sink } = this
    this.turns.start(
      async () => sealer.resume(await sink.tail?.(), sink.tail !== undefined),
      this.options.timeout,
      (error) => {
        if (error === undefined) {
          this.isWriteDue = true
          return
        }
        this.health.fails(error)
        this.outbox.drop(() => true)
      },
    )
  }

  private onOverdue(timeout: number): void {
    this.health.fails(this.timedOut(timeout))
    this.outbox.doubt()
    // What would wait for a sink that does not answer is not kept waiting.
    if (this.enforced) this.outbox.drop((entry) => entry.waiter !== null)
    this.whenOverdue()
  }

  /** An entry about the trail's own life, for which nobody waits. */
  private entry<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Entry {
    return new Entry(this.options.lifecycle(type, details), this, null, true)
  }

  private timedOut(timeout: number): Error {
    return new AuditSinkTimeout(this.name, String(timeout))
  }
}
