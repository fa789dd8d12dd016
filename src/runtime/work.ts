import { Acknowledgement } from '../delivery/acknowledgement.js'
import { AuditResponseWithheld } from '../errors.js'
import type { Outcome } from '../event/action.js'
import type { ActionBuilder } from '../event/action-builder.js'
import type { Additions } from '../event/content/additions.js'
import { messageOf } from '../event/error-message.js'
import { EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../policy/stages.js'
import type { ActionAudit } from './action-audit.js'
import type { ActionsContext } from './actions-context.js'
import type { OpenExchange } from './open-exchanges.js'

/** The function of `run`. */
export type Execute<Result> = (audit: ActionAudit) => Result | Promise<Result>

/** Result or error of the function. */
type Ending<Result> = { readonly result: Result } | { readonly error: unknown }

/** One piece of work from its beginning to its end: records both, and decides whether its function runs. */
export class Work implements OpenExchange {
  previous: OpenExchange | null = null
  following: OpenExchange | null = null
  goneSince = 0
  private state: 'beginning' | 'running' | 'over' | 'cut off' = 'beginning'

  constructor(
    private readonly context: ActionsContext,
    private readonly records: ActionBuilder,
    private readonly name: string,
    /** Counts, logs and returns the error of a beginning that is not stored. */
    private readonly refusal: (reason: string) => Error,
  ) {}

  /** What the function may add to; null when the end is recorded. */
  get additions(): Additions | null {
    if (this.state === 'running') return this.records.additions
    this.context.counts.add('annotationsTooLate')
    return null
  }

  /**
   * Records the beginning, runs the function, and records the end. Returns the function's result, or throws its error.
   *
   * @throws `FST_AUDIT_NOT_RECORDED` when the beginning is not stored; the function does not run.
   * @throws `FST_AUDIT_RESPONSE_WITHHELD` when the end is not stored, and the function has not failed itself.
   */
  async execute<Result>(execute: Execute<Result>, audit: ActionAudit): Promise<Result> {
    await this.begin()
    const ending = await endingOf(execute, audit)
    const isStored = await this.end(ending)
    if ('error' in ending) throw ending.error
    if (!isStored) throw withheld(this.name, ending.result)
    return ending.result
  }

  // Calls from the list of what is open, which exchanges share.

  isClientGone(): boolean {
    return false
  }

  abandon(): void {}

  hideEnd(): void {}

  cutOff(): void {
    const { state } = this
    if (state === 'beginning' || state === 'running') this.state = 'cut off'
    // What has not begun does not begin any more: `begin` records that.
    if (state !== 'running') return
    const draft = this.records.complete({ outcome: undefined, error: 'server closed', aborted: true })
    this.context.dispatcher.tell(draft, this.endExclusions(undefined), EXCLUDES_COMPLETE)
    this.context.open.remove(this)
  }

  /** Getter, because the compiler does not see that a call may have changed the state. */
  private get isBeginning(): boolean {
    return this.state === 'beginning'
  }

  private async begin(): Promise<void> {
    const { context, records } = this
    context.open.add(this)
    const receipt = new Acknowledgement(context.dispatcher, this.exclusions(undefined))
    const isStored = await receipt.offer(records.received(), EXCLUDES_RECEIVED, false)
    if (isStored && this.isBeginning) {
      this.state = 'running'
      return
    }
    this.state = 'over'
    receipt.amend(records.complete({ outcome: 'failure', error: 'FST_AUDIT_NOT_RECORDED', aborted: false }))
    context.open.remove(this)
    throw this.refusal(isStored ? 'the trail is being closed.' : 'an enforced sink has not stored its beginning.')
  }

  /** Returns false if the end had to be stored and was not. */
  private async end(ending: Ending<unknown>): Promise<boolean> {
    const { context, records } = this
    if (this.state === 'cut off') {
      if (!context.dispatcher.isEnforcedFor(this.exclusions(undefined), EXCLUDES_COMPLETE)) return true
      context.counts.add('actionsWithheld')
      return false
    }
    this.state = 'over'
    const outcome = 'error' in ending ? outcomeOf(ending.error) : 'success'
    const error = 'error' in ending ? messageOf(ending.error) : undefined
    const completion = new Acknowledgement(context.dispatcher, this.endExclusions(outcome))
    const isStored = await completion.offer(
      records.complete({ outcome, error, aborted: false }),
      EXCLUDES_COMPLETE,
      true,
    )
    context.open.remove(this)
    if (isStored) return true
    context.counts.add('actionsWithheld')
    if ('result' in ending) completion.amend(records.correction('FST_AUDIT_RESPONSE_WITHHELD'))
    return false
  }

  private endExclusions(outcome: Outcome | undefined): number {
    const exclusions = this.exclusions(outcome)
    if (this.context.policy.isUnclaimed(exclusions)) this.context.counts.add('unclaimed')
    return exclusions
  }

  private exclusions(outcome: Outcome | undefined): number {
    return this.context.policy.exclusionsOfAction(this.records.facts(outcome))
  }
}

/** Runs the function; whatever it throws is an ending too. */
async function endingOf<Result>(execute: Execute<Result>, audit: ActionAudit): Promise<Ending<Result>> {
  try {
    return { result: await execute(audit) }
  } catch (error) {
    return { error }
  }
}

/** Returns how work ended by its error: one with the status 401 or 403 says that the actor was not allowed to do it. */
function outcomeOf(error: unknown): Outcome {
  try {
    const status: unknown =
      typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
    return status === 401 || status === 403 ? 'denied' : 'failure'
  } catch {
    // The application's error may have a getter that throws.
    return 'failure'
  }
}

/** Makes the error of work that ran and whose end is not stored; it carries the result to the caller. */
function withheld(action: string, result: unknown): Error {
  const message = `The action "${action}" ran, but its outcome could not be recorded in the audit trail. Its result is in \`result\` of this error. Check whether it took effect before you repeat it.`
  return Object.assign(new AuditResponseWithheld(message), { result })
}
