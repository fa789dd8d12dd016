import { types } from 'node:util'
import { RealDate, toIsoTime } from '../clock.js'
import { ChangeReport } from '../redact/change-report.js'
import type { Redactor } from '../redact/redactor.js'
import type { Outcome } from './action.js'
import type { Identity } from './actor.js'
import type { KnownAction } from './content/action-content.js'
import { Additions } from './content/additions.js'
import type { Capture } from './content/capture.js'
import type { Draft } from './draft.js'
import type { Envelope } from './envelope.js'
import type { EventAuth, Stage } from './envelope-types.js'
import { newEventId } from './event-id.js'
import { flat } from './flat.js'
import { writeCorrection, writeRecord } from './formats/json.js'
import { writeText } from './formats/json-action.js'
import { DEFAULT_NAMESPACE } from './formats/json-request.js'
import { writeDuration } from './formats/json-response.js'
import type { IdentityResolver } from './identity.js'
import { BOUNDS } from './limits.js'
import type { Misuse } from './misuse.js'
import { isTraceparent } from './traceparent.js'
import type { Vocabulary } from './vocabulary/vocabulary.js'

/** Parts that the records of all actions of one instance share. */
export interface ActionContext {
  readonly envelope: Envelope
  readonly who: IdentityResolver
  readonly redactor: Redactor
  readonly capture: Capture
  readonly misuse: Misuse
  readonly vocabulary: Vocabulary | null
}

/** Facts that an action takes from the request or the work in which it happens. */
export interface ActionOrigin {
  /** The actor, as JSON. */
  readonly auth: string
  readonly namespace: string
  /** `payload.id` of the request or the work, if it is recorded. */
  readonly parent: string | undefined
  readonly traceparent: string | undefined
  /** The secrets that the request has in its URL. */
  readonly known: ChangeReport['known']
}

/** What the application says of an action when it begins. Callers without types may give anything. */
export interface GivenAction {
  readonly action?: unknown
  readonly actor?: Identity | undefined
  readonly targets?: unknown
  readonly namespace?: unknown
  readonly at?: unknown
  readonly parent?: unknown
}

/** Facts about an action by which filters and sinks choose. */
export interface KnownFacts extends KnownAction {
  /** The actor's `accessor_id`. */
  readonly actor: string
  readonly namespace: string
  readonly action: string
}

/** How a piece of work ended. */
export interface WorkEnd {
  readonly outcome: Outcome | undefined
  readonly error: string | undefined
  readonly aborted: boolean
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Builds the records of one action beside requests: of an event, or both of a piece of work. */
export class ActionBuilder {
  readonly id = flat(newEventId())
  readonly additions: Additions
  readonly namespace: string
  private readonly changes: ChangeReport
  private readonly auth: string
  private readonly startedAt: number
  private readonly timestamp: string
  /** The members between the version and the action. */
  private readonly head: string
  /** The members after the changes. */
  private readonly context: string

  constructor(
    private readonly shared: ActionContext,
    given: GivenAction,
    private readonly origin: ActionOrigin | null,
  ) {
    const { envelope, who, redactor, capture, misuse, vocabulary } = shared
    this.changes = new ChangeReport(redactor)
    this.changes.known = origin?.known
    this.additions = new Additions(capture, misuse, this.changes, vocabulary)
    this.startedAt = envelope.clock.monotonic()
    this.timestamp = envelope.time
    this.auth = given.actor === undefined ? (origin?.auth ?? who.anonymous) : who.authOf(given.actor, this.changes)
    this.namespace = this.namespaceOf(given.namespace)
    this.head = `,"auth":${this.auth},"namespace":{"id":${this.text(this.namespace, BOUNDS.namespace, 'namespace.id')}}`
    this.context = this.at(given.at) + this.parent(given.parent) + this.traceparent()
    this.additions.action.setName(given.action)
    this.additions.action.addTargets(given.targets)
  }

  /** Facts that another action takes from this one if it happens in it. */
  get asOrigin(): ActionOrigin {
    const { auth, namespace, id, origin } = this
    return { auth, namespace, parent: id, traceparent: origin?.traceparent, known: origin?.known }
  }

  /** Facts about it by which filters and sinks choose. */
  facts(implied: Outcome | undefined): KnownFacts {
    const { action = '', targets, outcome } = this.additions.action.known(implied)
    return { actor: accessorIdOf(this.auth), namespace: this.namespace, action, targets, outcome }
  }

  /** The record of an event. */
  event(): Draft {
    return this.draft('', this.additions.happened())
  }

  received(): Draft {
    return this.draft('OperationReceived', this.additions.begun())
  }

  complete({ outcome, error, aborted }: WorkEnd): Draft {
    const isErrorOmitted = error === undefined || this.changes.redactor.omits('error')
    const duration = writeDuration(this.shared.envelope.clock.monotonic() - this.startedAt)
    const end =
      (isErrorOmitted ? '' : `,"error":${this.text(error, BOUNDS.error, 'error')}`) +
      (aborted ? ',"aborted":true' : '') +
      `,"duration_ms":${duration}`
    return this.draft('OperationComplete', this.additions.ended(outcome) + end)
  }

  /** The correction of a Complete whose result is withheld. */
  correction(error: string): Draft {
    const { envelope } = this.shared
    return envelope.draft(writeCorrection(this.id, envelope.time, undefined, error, this.changes))
  }

  private draft(stage: Stage | '', rest: string): Draft {
    const { id, timestamp, head, context, changes } = this
    return this.shared.envelope.draft(
      writeRecord({ id, type: 'action', stage, timestamp, members: head + rest + context }, changes),
    )
  }

  private namespaceOf(given: unknown): string {
    if (given === undefined) return this.origin?.namespace ?? DEFAULT_NAMESPACE
    if (typeof given === 'string') return given
    this.shared.misuse.note('a namespace that is not a text was given to an action: "default" is recorded instead')
    return DEFAULT_NAMESPACE
  }

  private at(given: unknown): string {
    if (given === undefined) return ''
    const time = timeOf(given)
    return time === undefined ? this.leaveOut('at', 'is not a time') : `,"at":"${time}"`
  }

  private parent(given: unknown): string {
    const parent = given ?? this.origin?.parent
    if (parent === undefined) return ''
    const isId = typeof parent === 'string' && UUID.test(parent)
    return isId ? `,"parent":"${parent}"` : this.leaveOut('parent', 'is not the id of a record')
  }

  private traceparent(): string {
    const traceparent = this.origin?.traceparent
    return traceparent === undefined || !isTraceparent(traceparent) ? '' : `,"traceparent":"${traceparent}"`
  }

  private leaveOut(member: 'at' | 'parent', reason: string): '' {
    this.shared.misuse.note(`\`${member}\` of an action ${reason}: it is not recorded`)
    this.changes.markOmitted(member, reason)
    return ''
  }

  private text(text: string, limit: number, path: string): string {
    return writeText(text, limit, path, this.changes)
  }
}

function accessorIdOf(auth: string): string {
  const { accessor_id }: EventAuth = JSON.parse(auth)
  return accessor_id
}

/** Returns the RFC 3339 text of a `Date` or of such a text; undefined if it is not a time with a year of four digits. */
function timeOf(value: unknown): string | undefined {
  if (!types.isDate(value) && !(typeof value === 'string' && RFC_3339.test(value))) return undefined
  const time = typeof value === 'string' ? RealDate.parse(value) : RealDate.prototype.getTime.call(value)
  if (Number.isNaN(time)) return undefined
  const text = toIsoTime(time)
  return text.length === 24 ? text : undefined
}
