import { clearInterval, setInterval } from '../clock.js'
import { AuditSinkTimeout, AuditSinkUnavailable } from '../errors.js'
import { FailureLog, type SinkLogger } from '../logger.js'
import type { AuditSink, SinkContext } from '../sinks/sink.js'
import { GroupCommit } from './group-commit.js'
import type { PendingEntries } from './pending-entries.js'
import { type AskedCall, ReopenClose } from './reopen-close.js'
import type { Seal } from './seal/seal.js'
import { TimedCall } from './timed-call.js'

/** How often a sink is given time for itself, and probed after a failure, in milliseconds. */
const IDLE_INTERVAL = 1000

export interface SinkDriverOptions {
  /** The sink's name. */
  readonly name: string
  readonly enforced: boolean
  /** The timeout of each call, in milliseconds. */
  readonly timeout: number
  readonly log: SinkLogger
  /** Seals the lines, if the sink is sealed. */
  readonly seal: Seal | null
  /** Called with the sink's answer for a batch, before its waiters are told. */
  readonly onAnswer: (error: unknown) => void
  /** Called when the sink stores again after a failure. */
  readonly onRecovery: () => void
}

/** Calls one sink, one call at a time: to open, write, idle, reopen and close. Knows whether the sink is healthy. */
export class SinkDriver {
  /** The sink is being closed, is closed, or was given up: it takes nothing more. */
  isClosed = false
  private readonly reopenClose: ReopenClose
  private readonly health: FailureLog
  private readonly groupCommit: GroupCommit
  private readonly call = new TimedCall(
    (timeout) => this.onOverdue(timeout),
    () => {
      if (this.isCallDue) this.groupCommit.schedule()
    },
  )
  private isIdleDue = false
  /** A gap or a checkpoint is to be written although nothing is queued. */
  private isWriteDue = false
  private idleTimer: NodeJS.Timeout | undefined
  /** Called when a call is overdue: lets the boot go on if the sink hangs while it opens. */
  private whenOverdue = (): void => undefined

  constructor(
    private readonly sink: AuditSink,
    private readonly pending: PendingEntries,
    private readonly options: SinkDriverOptions,
  ) {
    this.health = healthOf(options)
    this.reopenClose = new ReopenClose(sink)
    this.groupCommit = new GroupCommit(() => this.next(), pending)
  }

  /** Whether the last attempt to store succeeded, and none is overdue. */
  get healthy(): boolean {
    return !this.health.isFailing && !this.call.isOverdue
  }

  get isBusy(): boolean {
    return this.call.isBusy
  }

  /** Whether the call under way is past its timeout. */
  get isOverdue(): boolean {
    return this.call.isOverdue
  }

  /**
   * Opens the sink. Rejects with an error that must stop the boot. A sink that cannot store now, or does not answer
   * within `timeout` milliseconds, counts as failing and is tried again later.
   */
  open(context: SinkContext, timeout: number): Promise<void> {
    this.idleTimer = setInterval(() => this.idle(), IDLE_INTERVAL).unref()
    return new Promise((resolve, reject) => {
      this.call.start(
        () => this.sink.open?.(context),
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

  /** Schedules a write of the queue, together with the entries that come until then. */
  schedule(): void {
    if (!this.call.isBusy) this.groupCommit.schedule()
  }

  /** Calls the sink's `idle`, now or after the call under way. */
  idle(): void {
    this.isIdleDue = true
    this.next()
  }

  /** Writes a gap or checkpoint that is due, even if nothing is queued. */
  write(): void {
    this.isWriteDue = true
    this.next()
  }

  reopen(): Promise<void> {
    const reopened = this.reopenClose.reopen()
    this.next()
    return reopened
  }

  close(): Promise<void> {
    clearInterval(this.idleTimer)
    const closed = this.reopenClose.close()
    this.next()
    return closed
  }

  /** Treats the call under way as overdue, now. */
  giveUpWaiting(timeout: number): void {
    this.call.giveUp(timeout)
  }

  /** Gives the sink up: stores nothing more, and tells all who wait. */
  abandon(budget: number): void {
    this.isClosed = true
    clearInterval(this.idleTimer)
    this.call.giveUp(budget)
    this.pending.drop(() => true)
    this.pending.tellFlushed(true)
    this.reopenClose.giveUp(this.timedOut(budget))
  }

  /** Whether a call is due, or somebody waits until nothing is left. */
  private get isCallDue(): boolean {
    return (
      !this.pending.isEmpty || this.isWriteDue || this.isIdleDue || this.reopenClose.isAsked || this.pending.isAwaited
    )
  }

  /** Starts the next call, if none is under way. */
  private next(): void {
    if (this.call.isBusy) return
    this.pending.tellFlushed()
    // Closes also a sink that was given up, after it has answered: it may hold a lock.
    const asked = this.reopenClose.next()
    if (asked !== null) this.startAsked(asked)
    else if (this.isClosed) return
    else if (this.isIdleDue) this.startIdle()
    else if (!this.pending.isEmpty || this.isWriteDue) this.startWrite()
  }

  private startAsked({ run, settled, isLast }: AskedCall): void {
    if (isLast) this.isClosed = true
    this.call.start(run, this.options.timeout, (error) => {
      if (error !== undefined) this.health.fails(error)
      settled(error)
    })
  }

  private startIdle(): void {
    this.isIdleDue = false
    this.call.start(
      () => this.sink.idle?.(),
      this.options.timeout,
      (error) => {
        if (error !== undefined) this.health.fails(error)
        else {
          this.isWriteDue = this.pending.hasGap || this.options.seal?.isDue === true
          // A write, such as that of the gap after a failure, shows better than `idle` whether the sink stores.
          if (!this.isWriteDue) this.works()
        }
      },
    )
  }

  private startWrite(): void {
    const { seal, timeout, onAnswer } = this.options
    if (seal?.isLost === true) {
      this.startTail(seal)
      return
    }
    this.isWriteDue = false
    const batch = this.pending.take()
    if (batch.length === 0) {
      this.next()
      return
    }
    this.call.start(
      // Passes a copy: a sink that empties its array must not empty the list of entries to settle.
      () => this.sink.write([...batch]),
      timeout,
      (error, late) => {
        this.groupCommit.wrote(this.call.took)
        this.pending.settle(error, late, (isAnyStored) => {
          onAnswer(error)
          // Writes a due checkpoint at once: lines that are not signed could still be rewritten.
          if (isAnyStored && seal?.isDue === true) this.isWriteDue = true
          if (isAnyStored) this.works()
          else this.health.fails(error)
        })
      },
    )
  }

  private works(): void {
    const { isFailing } = this.health
    this.health.works(this.pending.counts)
    if (isFailing) this.options.onRecovery()
  }

  /** Finds the line that the next one follows: after the boot, and after a batch in doubt. */
  private startTail(seal: Seal): void {
    this.call.start(
      () => seal.resume(this.sink),
      this.options.timeout,
      (error) => {
        if (error === undefined) {
          this.isWriteDue = true
          return
        }
        this.health.fails(error)
        this.pending.drop(() => true)
      },
    )
  }

  private onOverdue(timeout: number): void {
    this.health.fails(this.timedOut(timeout))
    this.pending.doubt()
    // Answers queued requests at once instead of letting them wait for a sink that does not answer.
    if (this.options.enforced) this.pending.drop((entry) => entry.waiter !== null)
    this.whenOverdue()
  }

  private timedOut(timeout: number): Error {
    return new AuditSinkTimeout(this.options.name, String(timeout))
  }
}

function healthOf({ name, enforced, log }: SinkDriverOptions): FailureLog {
  const effect = enforced ? 'requests are refused until it works again' : 'its entries are lost until it works again'
  return new FailureLog(
    log,
    { sink: name },
    `audit sink "${name}" fails: ${effect}`,
    `audit sink "${name}" works again`,
  )
}
