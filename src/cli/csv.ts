import type { TrailExchange } from '../reader/trail-exchange.js'
import { printable, printableJson } from './terminal.js'

/** The beginning of what a spreadsheet takes for a formula, also in full-width characters (after NFKC). */
const FORMULA = /^[\s'"]*[=+\-@]/

type Cell = string | number | undefined

const COLUMNS: Readonly<Record<string, (exchange: TrailExchange) => Cell>> = {
  id: ({ id }) => id,
  timestamp: ({ timestamp }) => timestamp,
  completed_at: ({ completed_at }) => completed_at,
  status: ({ response }) => response?.status_code,
  corrected_from: ({ corrected }) => corrected && (corrected.status_code ?? 'none'),
  error: ({ response, error }) => response?.error ?? error,
  open: ({ open }) => open && 'true',
  aborted: ({ response, aborted }) => ((response?.aborted ?? aborted) === true ? 'true' : undefined),
  duration_ms: ({ response, duration_ms }) => response?.duration_ms ?? duration_ms,
  accessor_id: ({ auth }) => auth?.accessor_id,
  name: ({ auth }) => auth?.name,
  on_behalf_of: ({ auth }) => auth?.on_behalf_of,
  operation: ({ request }) => request?.operation,
  endpoint: ({ request }) => request?.endpoint,
  route: ({ request }) => request?.route,
  namespace: ({ request, namespace }) => (request?.namespace ?? namespace)?.id,
  remote_address: ({ request }) => request?.request_meta?.remote_address,
  source_ips: ({ request }) => request?.request_meta?.source_ips?.join(' '),
  user_agent: ({ request }) => request?.request_meta?.user_agent,
  annotations: ({ annotations }) => annotations && printableJson(annotations),
  instance: ({ instance }) => instance,
  type: ({ type }) => type,
  action: ({ action }) => action,
  targets: ({ targets }) => targets?.map(({ type, id }) => `${type}:${id}`).join(' '),
  outcome: ({ outcome }) => outcome,
  reason: ({ reason }) => reason,
  changes: ({ changes }) => changes && printableJson(changes),
  at: ({ at }) => at,
  parent: ({ parent }) => parent,
  end: ({ end }) => end?.how,
  end_error: ({ end }) => end?.error,
  end_duration_ms: ({ end }) => end?.duration_ms,
}

export const CSV_HEADER = Object.keys(COLUMNS).join(',')

export function csvRow(exchange: TrailExchange): string {
  return Object.values(COLUMNS)
    .map((cellOf) => csvCell(cellOf(exchange)))
    .join(',')
}

/** Writes a cell on one line; a formula gets an apostrophe before it, so that no spreadsheet runs it. */
export function csvCell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  // In countries with a decimal comma, a spreadsheet splits at semicolons, even within quotes that follow a comma.
  const safe = printable(value).split(';').map(asText).join(';')
  return `"${safe.replaceAll('"', '""')}"`
}

function asText(part: string): string {
  return FORMULA.test(part.normalize('NFKC')) ? `'${part}` : part
}
