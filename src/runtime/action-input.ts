import type { Outcome } from '../event/action.js'
import type { Identity } from '../event/actor.js'
import type { ChangesOptions } from '../event/content/changes.js'
import type { EventOfVocabulary, WorkOfVocabulary } from '../event/vocabulary/define-actions.js'

/** A thing before and after a change, of which the differences are recorded. */
export interface ChangedThing extends ChangesOptions {
  before: unknown
  after: unknown
}

/** Members that events and work have. */
interface ActionMembers {
  /** Who does it. Without it, the actor of the request or the work in which it happens, or the anonymous one. */
  actor?: Identity | undefined
  /** @default 'default', or the namespace of the request or the work in which it happens */
  namespace?: string | undefined
  /** The audit id of the request or the work to which this belongs. */
  parent?: string | undefined
}

interface EventMembers extends ActionMembers {
  outcome?: Outcome | undefined
  /** Why it ended so. */
  reason?: string | undefined
  /** What it changed. */
  changes?: ChangedThing | undefined
  /** The time at which it happened, if that is not now: a `Date`, or its text in RFC 3339. */
  at?: string | Date | undefined
}

/** An event beside requests, for `record`. With a vocabulary it must have what its action asks for. */
export type ActionInput = EventOfVocabulary & EventMembers

/** Work with a beginning and an end, for `run`. Its function may give what its action asks for. */
export type WorkInput = WorkOfVocabulary & ActionMembers
