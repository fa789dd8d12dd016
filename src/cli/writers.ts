import type { TrailExchange } from '../reader/trail-exchange.js'
import { choiceOf, type Parsed } from './arguments.js'
import type { Io } from './command.js'
import { CSV_HEADER, csvRow } from './csv.js'
import { tableHeader, tableNote, tableRow } from './table.js'
import { printableJson } from './terminal.js'
import type { OptionDefinitions } from './usage.js'

const FORMATS = ['table', 'json', 'csv'] as const

export const FORMAT_OPTION = {
  format: {
    value: 'FORMAT',
    help: 'table, json (one object a line) or csv; by default table on a terminal, else json',
  },
} as const satisfies OptionDefinitions

/** Writes results, a line each. */
export interface Writer {
  readonly header: string | undefined
  row(exchange: TrailExchange): string
  /** Writes an entry of the trail's own life; `undefined` in formats that have no place for it. */
  note(time: string, type: string, details: unknown): string | undefined
}

export function writerOf(parsed: Parsed, { isTerminal, columns, paint }: Io): Writer {
  const format = choiceOf(parsed, 'format', FORMATS) ?? (isTerminal ? 'table' : 'json')
  if (format === 'csv') return { header: CSV_HEADER, row: csvRow, note: () => undefined }
  if (format === 'json') {
    return {
      header: undefined,
      row: printableJson,
      note: (timestamp, type, details) => printableJson({ timestamp, type, [type]: details }),
    }
  }
  const options = { paint, columns: isTerminal ? columns : undefined }
  return {
    header: tableHeader(options),
    row: (exchange) => tableRow(exchange, options),
    note: (time, type, details) => tableNote(time, `${type} ${printableJson(details ?? null)}`, options),
  }
}
