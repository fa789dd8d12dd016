import { quoteWhole } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import type { Outcome } from '../action.js'
import { quote } from '../bounded-text.js'
import { BOUNDS } from '../limits.js'

/** The members of an action, as they are written; empty if they are missing. */
export interface ActionParts {
  readonly name: string
  readonly targets: string
  readonly outcome: Outcome | undefined
  readonly reason: string
  readonly changes: string
}

/** Writes a text that the application may have taken from a client: without secrets, and bounded. */
export function writeText(text: string, limit: number, path: string, changes: ChangeReport): string {
  return quote(changes.redactor.text(text, path, changes), limit, path, changes)
}

/** Writes a target. Its id is a secret if `redact.keys` names its type: the built-in words name things that have ids, too. */
export function writeTarget(type: string, id: string, name: string | undefined, changes: ChangeReport): string {
  const { redactor } = changes
  const isSecret = redactor.isNamed(type)
  if (isSecret) changes.redacted++
  const shown = isSecret ? redactor.replacement(id, redactor.secrecyOf(type)) : id
  const named = name === undefined ? '' : `,"name":${writeText(name, BOUNDS.identity, 'targets.name', changes)}`
  return (
    `{"type":${writeText(type, BOUNDS.identity, 'targets.type', changes)}` +
    `,"id":${writeText(shown, BOUNDS.identity, 'targets.id', changes)}${named}}`
  )
}

/** `,"action":…` to `,"changes":…`: each member that there is. */
export function writeAction({ name, targets, outcome, reason, changes }: ActionParts): string {
  return (
    (name === '' ? '' : `,"action":${name}`) +
    (targets === '' ? '' : `,"targets":[${targets}]`) +
    (outcome === undefined ? '' : `,"outcome":${quoteWhole(outcome)}`) +
    (reason === '' ? '' : `,"reason":${reason}`) +
    (changes === '' ? '' : `,"changes":${changes}`)
  )
}
