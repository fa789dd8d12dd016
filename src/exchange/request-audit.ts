import type { Identity } from '../event/actor.js'
import type { Additions } from '../event/content/additions.js'
import type { EventBuilder } from '../event/event-builder.js'
import { newEventId } from '../event/event-id.js'
import { flat } from '../event/flat.js'
import type { ActionName } from '../event/vocabulary/define-actions.js'
import type { ActionAudit, ActionRecorder } from '../runtime/action-audit.js'
import type { ExchangeContext } from './context.js'
import type { RunningReply } from './running/running-reply.js'

/** Interface of `request.audit`, for handlers and hooks. */
export interface RequestAudit extends ActionAudit {
  /**
   * Says what the request does, instead of its route's `config.audit.action`; the last name stands. False as for
   * `annotate`.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * app.post<{ Params: { id: string } }>('/invoices/:id/refund', async ({ audit, params }) => {
   *   audit.action('invoice.refund')
   *   audit.target({ type: 'invoice', id: params.id })
   *   return { ok: true }
   * })
   * ```
   */
  action(name: ActionName): boolean
  /**
   * Says who makes this request, if it was anonymous until a handler looked: a login. Its `OperationComplete` has this
   * identity. An identity that the request had when it was received stays. False as for `annotate`.
   */
  identify(identity: Identity): boolean
}

/** An exchange as `request.audit` uses it. */
export interface FollowedRequest {
  readonly id: string
  readonly records: Pick<EventBuilder, 'additions' | 'asOrigin'>
  /** True until `OperationComplete` is recorded. */
  readonly takesAdditions: boolean
  /** Follows a reply that goes on after `OperationComplete`; it takes annotations. */
  readonly running: Pick<RunningReply, 'annotate'> | false | null
  readonly context: Pick<ExchangeContext, 'actions' | 'counts'>
}

/**
 * Implements `request.audit` for a request that is followed. Its members are getters of functions, so that they may be
 * taken from it (`const { annotate } = request.audit`) and cost nothing unless they are used; the exchange is in a
 * field that is hidden when a handler prints this object.
 */
export class FollowedAudit implements RequestAudit {
  readonly #request: FollowedRequest

  constructor(request: FollowedRequest) {
    this.#request = request
  }

  /** Copies the id: it is a slice of a longer string, which would stay in memory as long as the id is kept. */
  get id(): string {
    return flat(this.#request.id)
  }

  get annotate(): RequestAudit['annotate'] {
    return (values) => {
      const { running } = this.#request
      const later = running ? running.annotate(values) : null
      return later ?? this.#add((additions) => additions.annotate(values))
    }
  }

  get action(): RequestAudit['action'] {
    return (name) => this.#add(({ action }) => action.setName(name))
  }

  get target(): RequestAudit['target'] {
    return (target) => this.#add(({ action }) => action.addTarget(target))
  }

  get changes(): RequestAudit['changes'] {
    return (before, after, options) => this.#add(({ action }) => action.addChanges(before, after, options))
  }

  get outcome(): RequestAudit['outcome'] {
    return (outcome, reason) => this.#add(({ action }) => action.setOutcome(outcome, reason))
  }

  get identify(): RequestAudit['identify'] {
    return (identity) => this.#add((additions) => additions.identify(identity))
  }

  get record(): RequestAudit['record'] {
    return (event) => this.#request.context.actions.record(event, this.#request.records.asOrigin)
  }

  get run(): RequestAudit['run'] {
    return (work, execute) => this.#request.context.actions.run(work, execute, this.#request.records.asOrigin)
  }

  #add(change: (additions: Additions) => boolean): boolean {
    const { takesAdditions, records, context } = this.#request
    if (takesAdditions) return change(records.additions)
    context.counts.add('annotationsTooLate')
    return false
  }
}

type Addition = (audit: RequestAudit) => boolean

/** Implements `request.audit` for a request that is excluded, or whose exchange has not begun. */
export class DetachedAudit implements RequestAudit {
  readonly id = flat(newEventId())
  private readonly early: Addition[] = []
  private exchange: RequestAudit | null = null

  /** `beside` records what happens in the request, although the request itself is not recorded. */
  constructor(
    private readonly isExcluded: boolean,
    private readonly beside: ActionRecorder,
  ) {}

  readonly annotate: RequestAudit['annotate'] = (values) => this.add((audit) => audit.annotate(values))
  readonly action: RequestAudit['action'] = (name) => this.add((audit) => audit.action(name))
  readonly target: RequestAudit['target'] = (target) => this.add((audit) => audit.target(target))
  readonly changes: RequestAudit['changes'] = (before, after, options) =>
    this.add((audit) => audit.changes(before, after, options))
  readonly outcome: RequestAudit['outcome'] = (outcome, reason) => this.add((audit) => audit.outcome(outcome, reason))
  readonly identify: RequestAudit['identify'] = (identity) => this.add((audit) => audit.identify(identity))
  readonly record: RequestAudit['record'] = (event) => (this.exchange ?? this.beside).record(event)
  readonly run: RequestAudit['run'] = (work, execute) => (this.exchange ?? this.beside).run(work, execute)

  /** Passes earlier additions on to the exchange. */
  attach(exchange: RequestAudit): void {
    this.exchange = exchange
    for (const addition of this.early) addition(exchange)
  }

  private add(addition: Addition): boolean {
    if (this.exchange !== null) return addition(this.exchange)
    if (!this.isExcluded) this.early.push(addition)
    return !this.isExcluded
  }
}
