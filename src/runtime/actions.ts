import { Acknowledgement } from '../delivery/acknowledgement.js'
import { AuditInvalidAction, AuditNotRecorded, AuditResponseWithheld } from '../errors.js'
import { ActionBuilder, type ActionOrigin } from '../event/action-builder.js'
import type { Additions } from '../event/content/additions.js'
import { shownText } from '../event/content/shown-text.js'
import { FailureLog } from '../logger.js'
import { EXCLUDES_COMPLETE } from '../policy/stages.js'
import type { ActionAudit } from './action-audit.js'
import type { ActionInput, WorkInput } from './action-input.js'
import type { ActionsContext } from './actions-context.js'
import { EVENT_MEMBERS, invalidAction, readInput, WORK_MEMBERS } from './read-input.js'
import { type Execute, Work } from './work.js'

/** The most characters of an action's name in the message of an error. */
const LONGEST_NAME = 256

/** Records what is done beside requests: events, and work with a beginning and an end. */
export class Actions {
  private readonly failures: FailureLog

  constructor(private readonly context: ActionsContext) {
    const failing = 'an action could not be recorded: `record` or `run` rejected with FST_AUDIT_NOT_RECORDED'
    this.failures = new FailureLog(context.log, {}, failing, 'actions are recorded again')
  }

  /**
   * Records one event. Resolves when every enforced sink has stored it.
   *
   * @throws `FST_AUDIT_NOT_RECORDED` when one has not.
   * @throws `FST_AUDIT_INVALID_ACTION` when it has no action.
   */
  record(event: ActionInput, origin: ActionOrigin | null = null): Promise<void> {
    return unawaited(this.recordNow(event, origin))
  }

  /** Runs a function as work whose beginning and end are recorded: see `Work.execute`. */
  run<Result>(work: WorkInput, execute: Execute<Result>, origin: ActionOrigin | null = null): Promise<Result> {
    return unawaited(this.runNow(work, execute, origin))
  }

  private async recordNow(event: ActionInput, origin: ActionOrigin | null): Promise<void> {
    const { context } = this
    const given = readInput(event, EVENT_MEMBERS, context.misuse)
    const records = this.builder(given, origin)
    add(records.additions, given)
    const exclusions = context.policy.exclusionsOfAction(records.facts(undefined))
    if (context.policy.isUnclaimed(exclusions)) context.counts.add('unclaimed')
    const receipt = new Acknowledgement(context.dispatcher, exclusions, false)
    const isStored = await receipt.offer(records.event(), EXCLUDES_COMPLETE, true)
    if (isStored) this.failures.works()
    else throw this.refusal(given.action, 'an enforced sink has not stored it.')
  }

  private async runNow<Result>(
    work: WorkInput,
    execute: Execute<Result>,
    origin: ActionOrigin | null,
  ): Promise<Result> {
    const { context } = this
    const given = readInput(work, WORK_MEMBERS, context.misuse)
    if (typeof execute !== 'function') {
      throw invalidAction(
        "Work has no function; write run({ action: 'report.export' }, async (work) => { … }).",
        context.misuse,
      )
    }
    const records = this.builder(given, origin)
    add(records.additions, given)
    const name = shownText(given.action, LONGEST_NAME, context.redactor)
    const begun = new Work(context, records, name, (reason) => this.refusal(given.action, reason))
    return await begun.execute(execute, this.auditOf(begun, records))
  }

  private builder(given: ActionInput, origin: ActionOrigin | null): ActionBuilder {
    const { context } = this
    if (!context.isOpened) {
      throw this.refusal(given.action, 'the trail is not open; record between `await app.ready()` and `app.close()`.')
    }
    context.counts.add('actions')
    return new ActionBuilder(context, given, origin)
  }

  private refusal(action: string, reason: string): Error {
    this.context.counts.add('actionsNotRecorded')
    const name = shownText(action, LONGEST_NAME, this.context.redactor)
    const error = new AuditNotRecorded(`The action "${name}" could not be recorded in the audit trail: ${reason}`)
    this.failures.fails(error)
    return error
  }

  /** The interface to work for its function. */
  private auditOf(work: Work, records: ActionBuilder): ActionAudit {
    const add = (change: (additions: Additions) => boolean): boolean => {
      const { additions } = work
      return additions !== null && change(additions)
    }
    return {
      id: records.id,
      annotate: (values) => add((additions) => additions.annotate(values)),
      target: (target) => add(({ action }) => action.addTarget(target)),
      changes: (before, after, options) => add(({ action }) => action.addChanges(before, after, options)),
      outcome: (outcome, reason) => add(({ action }) => action.setOutcome(outcome, reason)),
      record: (event) => this.record(event, records.asOrigin),
      run: (inner, execute) => this.run(inner, execute, records.asOrigin),
    }
  }
}

/** Adds what the application gave besides what the record begins with. */
function add(additions: Additions, { outcome, reason, changes, annotations }: ActionInput): void {
  if (outcome !== undefined) additions.action.setOutcome(outcome, reason)
  else if (reason !== undefined) additions.action.setReason(reason)
  if (changes !== undefined) additions.action.addChanges(changes.before, changes.after, { id: changes.id })
  if (annotations !== undefined) additions.annotate(annotations)
}

/**
 * Returns the same promise, but one that ends the process only if the application's own function failed: that an action
 * is not recorded is counted and logged.
 */
function unawaited<Result>(promise: Promise<Result>): Promise<Result> {
  const told = new Promise<Result>((resolve, reject) => {
    promise.then(resolve, (error: unknown) => {
      if (isOurs(error)) told.then(undefined, () => undefined)
      reject(error)
    })
  })
  return told
}

function isOurs(error: unknown): boolean {
  try {
    return (
      error instanceof AuditNotRecorded || error instanceof AuditResponseWithheld || error instanceof AuditInvalidAction
    )
  } catch {
    // A Proxy that the application has thrown may throw when it is looked at.
    return false
  }
}
