import type { TrailExchange } from '../reader/trail-exchange.js'
import { cut, printableJson } from './terminal.js'

/** The number of changes that a row shows, and the columns of each value in them. */
const CHANGES = 3
const VALUE = 30

type Change = NonNullable<TrailExchange['changes']>[number]

/** Says what was done to which things, with the outcome of a request's action; `''` if there is no action. */
export function actionOf({ type, action, targets = [], outcome }: TrailExchange): string {
  const names = [action, ...targets.map(({ type, id }) => `${type}:${id}`)].filter((name) => name !== undefined)
  // The row of an action beside requests has its outcome in a column of its own.
  if (type === 'action' || outcome === undefined) return names.join(' ')
  return `${names.join(' ')} ${outcome}`.trimStart()
}

/** Returns remarks on an exchange for its reader, or `''`. */
export function remarksOn(exchange: TrailExchange): string {
  const { response, corrected, reason, changes = [], aborted, end, type } = exchange
  const error = response?.error ?? exchange.error
  const remarks = [
    ...(reason === undefined ? [] : [reason]),
    ...(error === undefined ? [] : [error]),
    ...(response?.aborted === true ? ['the client had left'] : []),
    ...(aborted === true ? ['the server closed'] : []),
    ...(corrected === undefined ? [] : [`* corrected: the record says ${recorded(corrected, type)}`]),
    ...(end === undefined ? [] : [endOf(end)]),
    ...changes.slice(0, CHANGES).map(changeOf),
    ...(changes.length > CHANGES ? [`and ${changes.length - CHANGES} more changes`] : []),
  ]
  return remarks.length === 0 ? '' : `  (${remarks.join('; ')})`
}

function recorded({ status_code, error }: NonNullable<TrailExchange['corrected']>, type: 'action' | undefined): string {
  return type === 'action' ? (error ?? 'no error') : String(status_code ?? 'nothing')
}

function endOf({ how, close_code, duration_ms, error }: NonNullable<TrailExchange['end']>): string {
  const code = close_code === undefined ? '' : ` with ${close_code}`
  const why = error === undefined ? '' : `: ${error}`
  return `${how}${code} after ${(duration_ms / 1000).toFixed(1)} s${why}`
}

function changeOf(change: Change): string {
  const { path, before, after } = change
  if (before === undefined) return `${path} added: ${shownValue(after)}`
  if (after === undefined) return `${path} removed: ${shownValue(before)}`
  return `${path}: ${shownValue(before)} → ${shownValue(after)}`
}

function shownValue(value: unknown): string {
  return cut(printableJson(value ?? null), VALUE)
}
