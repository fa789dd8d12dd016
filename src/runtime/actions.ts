import { Acknowledgement } from '../delivery/acknowledgement.js'
import { AuditInvalidAction, AuditNotRecorded, AuditResponseWithheld } from '../errors.js'
import { ActionBuilder, type ActionOrigin } from '../event/action-builder.js'
import type { Additions } from '../event/content/additions.js'
import { FailureLog } from '../logger.js'
import { EXCLUDES_COMPLETE } from '../policy/stages.js'
import type { ActionAudit } from './action-audit.js'
import type { ActionInput, ChangedThing, WorkInput } from './action-input.js'
import type { ActionsContext } from './actions-context.js'
import { type Execute, Work } from './work.js'

const MEMBERS: ReadonlySet<string> = new Set<keyof ActionInput>([
  'action',
  'actor',
  'targets',
  'annotations',
  'namespace',
  'parent',
  'outcome',
  'reason',
  'changes',
  'at',
])

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
    const records = this.builder(event, origin)
    const { additions } = records
    if (event.outcome !== undefined) additions.action.setOutcome(event.outcome, event.reason)
    addChanges(additions, event.changes)
    if (event.annotations !== undefined) additions.annotate(event.annotations)
    const exclusions = context.policy.exclusionsOfAction(records.facts(undefined))
    if (context.policy.isUnclaimed(exclusions)) context.counts.add('unclaimed')
    const receipt = new Acknowledgement(context.dispatcher, exclusions, false)
    const isStored = await receipt.offer(records.event(), EXCLUDES_COMPLETE, true)
    if (isStored) this.failures.works()
    else throw this.refusal(event.action, 'an enforced sink has not stored it.')
  }

  private async runNow<Result>(
    given: WorkInput,
    execute: Execute<Result>,
    origin: ActionOrigin | null,
  ): Promise<Result> {
    const records = this.builder(given, origin)
    if (given.annotations !== undefined) records.additions.annotate(given.annotations)
    const { action } = given
    const work = new Work(this.context, records, action, (reason) => this.refusal(action, reason))
    return await work.execute(execute, this.auditOf(work, records))
  }

  private builder(given: WorkInput, origin: ActionOrigin | null): ActionBuilder {
    const problem = problemOf(given)
    if (problem !== undefined) throw new AuditInvalidAction(problem)
    const { context } = this
    if (!context.isOpened) {
      throw this.refusal(given.action, 'the trail is not open; record between `await app.ready()` and `app.close()`.')
    }
    for (const key of Object.keys(given)) {
      if (!MEMBERS.has(key)) context.misuse.note(`an action was given \`${key.slice(0, 64)}\`, which is not recorded`)
    }
    context.counts.add('actions')
    return new ActionBuilder(context, given, origin)
  }

  private refusal(action: string, reason: string): Error {
    this.context.counts.add('actionsNotRecorded')
    const error = new AuditNotRecorded(`The action "${action}" could not be recorded in the audit trail: ${reason}`)
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

function addChanges({ action }: Additions, changes: ChangedThing | undefined): void {
  if (typeof changes !== 'object' || changes === null) return
  const { before, after, id } = changes
  action.addChanges(before, after, { id })
}

function problemOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null)
    return "An action is not an object; write { action: 'invoice.refund' }."
  const action: unknown = Reflect.get(given, 'action')
  if (typeof action === 'string' && action !== '') return undefined
  return "An action has no `action` that is a text; write { action: 'invoice.refund' }."
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
  return (
    error instanceof AuditNotRecorded || error instanceof AuditResponseWithheld || error instanceof AuditInvalidAction
  )
}
