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
  /** Of each call, in milliseconds. */
  readonly timeout: number
  readonly log: SinkLogger
  /** What seals the lines, if anything does. */
  readonly seal: Seal | null
  /** What was written has been answered for, before whoever waits is told. */
  readonly onAnswer: (error: unknown) => void
  /** The sink stores again, after a failure. */
  readonly onRecovery: () => void
}

/**
 * What one sink is called for next, one call at a time: to open, to write what is pending, to look after itself, to
 * reopen and to close; and whether it is healthy.
 */
export class SinkDriver {
  /** Nothing more is taken: the sink is being closed, is closed, or was given up. */
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
  /** Something is to be written although nothing is queued: a gap, or a checkpoint. */
  private isWriteDue = false
  private idleTimer: NodeJS.Timeout | undefined
  /** A sink that hangs while it opens does not hold up the boot. */
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

  /** The call under way is past its timeout. */
  get isOverdue(): boolean {
    return this.call.isOverdue
  }

  /**
   * Opens the sink. Rejects with what must stop the boot; a sink that cannot store now, or does not answer within
   * `timeout` milliseconds, counts as failing and is given its time later.
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

  /** Has what is queued written soon, together with what else comes until then. */
  schedule(): void {
    if (!this.call.isBusy) this.groupCommit.schedule()
  }

  /** Has the sink look after itself, now or when it has answered. */
  idle(): void {
    this.isIdleDue = true
    this.next()
  }

  /** Has written what is due although nothing is queued. */
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

  /** Nothing more is stored: whoever waits for the sink is told so. */
  abandon(budget: number): void {
    this.isClosed = true
    clearInterval(this.idleTimer)
    this.call.giveUp(budget)
    this.pending.drop(() => true)
    this.pending.tellFlushed(true)
    this.reopenClose.giveUp(this.timedOut(budget))
  }

  /** The sink is to be called, or somebody waits for there being nothing left. */
  private get isCallDue(): boolean {
    return (
      !this.pending.isEmpty || this.isWriteDue || this.isIdleDue || this.reopenClose.isAsked || this.pending.isAwaited
    )
  }

  /** Starts the next call, if none is under way. */
  private next(): void {
    if (this.call.isBusy) return
    this.pending.tellFlushed()
    // A sink that was given up is closed nevertheless, once it has answered: it may hold a lock.
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
          // What is written next, such as the gap that a failure left, shows better than `idle` whether the sink stores.
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
      // A copy: a sink that empties its array must not empty the list of those who wait.
      () => this.sink.write([...batch]),
      timeout,
      (error, late) => {
        this.groupCommit.wrote(this.call.took)
        this.pending.settle(error, late, (isAnyStored) => {
          onAnswer(error)
          // At once: what is not signed for could still be written anew.
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

  /** Finds the line that the next one follows: after the boot, and when nobody knows what became of a batch. */
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
    // What would wait for a sink that does not answer is not kept waiting.
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
