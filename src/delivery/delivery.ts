import { clearTimeout, setTimeout } from '../clock.js'
import type { Draft, Format } from '../event/draft.js'
import type { LifecycleDetails, LifecycleType } from '../event/event.js'
import type { SinkLogger } from '../logger.js'
import { BatchError } from '../sinks/batch-error.js'
import type { AuditSink, SinkContext } from '../sinks/sink.js'
import { Entry, type Lane, OwnEntry } from './entry.js'
import { PendingEntries } from './pending-entries.js'
import type { Seal } from './seal/seal.js'
import { SinkDriver } from './sink-driver.js'

export interface DeliveryOptions {
  name: string
  enforced: boolean
  format: Format
  /** Milliseconds. */
  timeout: number
  maxQueue: number
  maxQueueBytes: number
  log: SinkLogger
  /** Makes the record of an event in the trail's own life. */
  lifecycle: <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]) => Draft
  /** Seals the lines, if the sink is sealed. */
  seal?: Seal | null
}

/** The fates of the entries that a sink was offered since the boot. */
export interface SinkStats {
  /** All entries with a `seq`: stored, refused, lost or in doubt. */
  offered: number
  stored: number
  /** Certainly not stored. */
  notStored: number
  /** It is not known whether these are stored. */
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
 * One sink's lane, from opening to closing: takes entries and reports their fates. Entries wait while a batch is being
 * stored, and one `write` answers for all of them. `PendingEntries` keeps them meanwhile, `SinkDriver` calls the sink.
 */
export class Delivery implements Lane, SinkContext {
  readonly name: string
  readonly enforced: boolean
  readonly log: SinkLogger

  private readonly seal: Seal | null
  private readonly pending: PendingEntries
  private readonly driver: SinkDriver
  /** The first entry of the trail; null if the sink refuses it for good. */
  private start: Entry | null = null

  constructor(
    sink: AuditSink,
    private readonly options: DeliveryOptions,
  ) {
    this.name = options.name
    this.enforced = options.enforced
    this.seal = options.seal ?? null
    this.log = options.log
    this.pending = new PendingEntries(this, { ...options, seal: this.seal })
    this.driver = new SinkDriver(sink, this.pending, {
      ...options,
      seal: this.seal,
      onAnswer: (error) => this.forgetRefusedStart(error),
      onRecovery: () => this.beginAgain(),
    })
  }

  /** Whether the last attempt to store succeeded, and none is overdue. */
  get healthy(): boolean {
    return this.driver.healthy
  }

  stats(): SinkStats {
    return { ...this.pending.stats(), healthy: this.healthy }
  }

  /**
   * Opens the sink. Rejects with an error that must stop the boot. A sink that cannot store now, or does not answer
   * within `timeout` milliseconds, counts as failing and is tried again later.
   */
  open(timeout: number): Promise<void> {
    return this.driver.open(this, timeout)
  }

  /**
   * Takes an entry. Returns true if its waiter will be told its fate; false if the entry is refused or lost at once, of
   * which its waiter is not told.
   */
  offer(entry: Entry): boolean {
    const { driver, pending } = this
    const isRefused = driver.isClosed || (driver.isOverdue && this.enforced)
    if (isRefused || !pending.hasRoomFor(entry)) {
      pending.miss(entry)
      return false
    }
    pending.push(entry)
    driver.schedule()
    return true
  }

  /** Offers the first entry of the trail, and offers it again after a failure of the sink. */
  begin(draft: Draft): void {
    this.start = new Entry(draft, this, null, true)
    this.offer(this.start)
  }

  record<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): void {
    const entry = new OwnEntry(this.options.lifecycle(type, details), this, null, true)
    if (this.driver.isClosed) {
      this.pending.miss(entry)
      return
    }
    this.pending.pushOwn(entry)
    if (type === 'rotation') this.seal?.wantCheckpoint()
    this.driver.schedule()
  }

  doubt(entries: number): void {
    this.pending.doubtStored(entries)
  }

  /** Resolves when all entries offered until now, and those that their answers led to at once, have their fates. */
  async flush(): Promise<void> {
    await this.answered()
    await this.answered()
  }

  /** Makes the sink open the file that is at its path now. */
  reopen(): Promise<void> {
    return this.driver.isClosed ? Promise.resolve() : this.driver.reopen()
  }

  /**
   * Stores the queue and the stop entry, then closes the sink; gives up after `budget` milliseconds. Does not reject
   * for entries that could not be stored: `stats()` counts them.
   */
  async close(budget: number, stop: () => LifecycleDetails['stop']): Promise<void> {
    let isStopping = false
    const offerStop = (): void => {
      if (!isStopping) this.offer(this.entry('stop', stop()))
      isStopping = true
    }
    const drain = async (): Promise<void> => {
      await this.flush()
      // Records a rotation that is due now: after the stop entry, it would say that something came after the stop.
      this.driver.idle()
      await this.flush()
      offerStop()
      await this.flush()
      await this.lastCheckpoint()
      await this.driver.close()
    }
    await this.within(budget, drain())
    // If the sink was given up before, the stop entry is counted as lost.
    offerStop()
  }

  /** Tells those who wait for the call under way that its outcome is in doubt, `timeout` milliseconds after asking. */
  giveUpWaiting(timeout: number): void {
    if (this.enforced) this.driver.giveUpWaiting(timeout)
  }

  /** Closes the sink of a server that never started, which offered nothing. */
  async release(budget: number): Promise<void> {
    await this.within(budget, this.driver.close())
  }

  /** Signs the end of the chain, and waits until the checkpoint has been kept elsewhere. */
  private async lastCheckpoint(): Promise<void> {
    const { seal } = this
    if (seal === null) return
    seal.wantCheckpoint()
    if (seal.isDue) this.driver.write()
    await this.flush()
    await seal.handedOut()
  }

  private answered(): Promise<void> {
    if (this.driver.isClosed || (this.pending.isEmpty && !this.driver.isBusy)) return Promise.resolve()
    return this.pending.answered()
  }

  /** Waits at most `budget` milliseconds until the sink is closed. It is closed later if it answers later. */
  private async within(budget: number, closed: Promise<void>): Promise<void> {
    let deadline: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, budget)
    })
    await Promise.race([closed, late])
    clearTimeout(deadline)
    this.driver.abandon(budget)
    this.driver.close()
  }

  private forgetRefusedStart(error: unknown): void {
    if (error instanceof BatchError && error.failed.some((entry) => entry === this.start)) this.start = null
  }

  /** Offers the start entry again if it was not stored: nothing else in the trail names its server and its rules. */
  private beginAgain(): void {
    if (this.start?.fate === 'not stored') this.begin(this.start.draft)
  }

  /** Makes an entry about the trail's own life, for which nobody waits. */
  private entry<Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Entry {
    return new Entry(this.options.lifecycle(type, details), this, null, true)
  }
}
