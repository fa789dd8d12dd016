import { AuditInvalidAction } from '../errors.js'
import type { Misuse } from '../event/misuse.js'
import type { ActionInput, ChangedThing } from './action-input.js'

type Member = keyof ActionInput

const OF_WORK: readonly Member[] = ['action', 'actor', 'targets', 'annotations', 'namespace', 'parent']
const OF_EVENTS: readonly Member[] = [...OF_WORK, 'outcome', 'reason', 'changes', 'at']

/** The members that work has. */
export const WORK_MEMBERS: ReadonlySet<string> = new Set(OF_WORK)

/** The members that an event has. */
export const EVENT_MEMBERS: ReadonlySet<string> = new Set(OF_EVENTS)

/** The most unknown members of one input that are counted. */
const MOST_UNKNOWN = 16
const LONGEST_NAME = 64

/**
 * Reads each member once: callers without types may give anything, and a getter may throw, or answer differently the
 * next time. A member that cannot be read is counted, and costs the record that member alone.
 *
 * @throws `FST_AUDIT_INVALID_ACTION` when there is no action.
 */
export function readInput(given: ActionInput, members: ReadonlySet<string>, misuse: Misuse): ActionInput {
  if (!isObject(given)) throw invalidAction("An action is not an object; write { action: 'invoice.refund' }.", misuse)
  const read = <Key extends Member>(key: Key): ActionInput[Key] | undefined => {
    if (!members.has(key)) return undefined
    return attempt(() => given[key], key, misuse)
  }
  const action = read('action')
  if (typeof action !== 'string' || action === '') {
    throw invalidAction(
      "The `action` of an action is missing, empty or not a text; write { action: 'invoice.refund' }.",
      misuse,
    )
  }
  noteUnknown(given, members, misuse)
  return {
    action,
    actor: read('actor'),
    targets: read('targets'),
    annotations: read('annotations'),
    namespace: read('namespace'),
    parent: read('parent'),
    outcome: read('outcome'),
    reason: read('reason'),
    changes: readChanges(read('changes'), misuse),
    at: read('at'),
  }
}

/** Counts and logs it too, because nobody may await the rejection. */
export function invalidAction(problem: string, misuse: Misuse): Error {
  misuse.note(`\`record\` or \`run\` rejected with FST_AUDIT_INVALID_ACTION: ${problem}`)
  return new AuditInvalidAction(problem)
}

function readChanges(given: ChangedThing | undefined, misuse: Misuse): ChangedThing | undefined {
  if (given === undefined || given === null) return undefined
  if (isObject(given))
    return attempt(() => ({ before: given.before, after: given.after, id: given.id }), 'changes', misuse)
  misuse.note('`changes` of an action is not an object: it is not recorded')
  return undefined
}

function noteUnknown(given: object, members: ReadonlySet<string>, misuse: Misuse): void {
  const keys = attempt(() => Object.keys(given), 'members', misuse) ?? []
  let unknown = 0
  for (const key of keys) {
    if (members.has(key)) continue
    misuse.note(`an action was given \`${key.slice(0, LONGEST_NAME)}\`, which is not recorded`)
    if (++unknown === MOST_UNKNOWN) return
  }
}

function attempt<Value>(read: () => Value, member: string, misuse: Misuse): Value | undefined {
  try {
    return read()
  } catch (error) {
    misuse.note(`\`${member}\` of an action cannot be read: it is not recorded`, error)
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
