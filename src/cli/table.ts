import type { TrailExchange } from '../reading/record.js'
import { cut, type Painter, padded, printable, type Style } from './terminal.js'

/** Columns that a stranger's text cannot leave; the last one has the rest of the line. */
const TIME = 24
const ID = 8
const STATUS = 6
const DURATION = 9
const ACTOR = 20
const OPERATION = 7
const BEFORE_ENDPOINT = TIME + ID + STATUS + DURATION + ACTOR + OPERATION + 6

/** How an exchange is shown to people. */
export interface TableOptions {
  readonly paint: Painter
  /** Lines are cut to it, so that none goes on below as if it were another; `undefined`: not on a terminal. */
  readonly columns: number | undefined
}

export function tableHeader({ paint }: TableOptions): string {
  const titles = [
    padded('TIME', TIME),
    padded('ID', ID),
    padded('STATUS', STATUS),
    padded('MS', DURATION, 'right'),
    padded('ACTOR', ACTOR),
    padded('METHOD', OPERATION),
    'ENDPOINT',
  ]
  return paint(titles.join(' '), 'bold')
}

export function tableRow(exchange: TrailExchange, { paint, columns }: TableOptions): string {
  const { id, timestamp, response, request } = exchange
  const cells = [
    paint(padded(printable(timestamp), TIME), 'dim'),
    paint(padded(printable(id.slice(0, ID)), ID), 'dim'),
    paint(padded(statusOf(exchange), STATUS), styleOf(exchange)),
    padded(response?.duration_ms?.toFixed(1) ?? '', DURATION, 'right'),
    padded(printable(actorOf(exchange)), ACTOR),
    padded(printable(request?.operation ?? ''), OPERATION),
    last(printable(`${request?.endpoint ?? ''}${remarkOn(exchange)}`), columns),
  ]
  return cells.join(' ').trimEnd()
}

/** An entry of the trail's own life. */
export function tableNote(time: string, text: string, { paint, columns }: TableOptions): string {
  const cells = [padded(printable(time), TIME), padded('', ID), padded('trail', STATUS), printable(text)]
  const line = cells.join(' ')
  return paint(columns === undefined ? line : cut(line, columns), 'cyan')
}

/** The name that people know somebody by. */
export function actorOf({ auth }: TrailExchange): string {
  return auth?.name ?? auth?.accessor_id ?? ''
}

function statusOf({ open, corrected, response }: TrailExchange): string {
  if (open === true) return 'open'
  return `${response?.status_code ?? 'none'}${corrected === undefined ? '' : '*'}`
}

function styleOf({ open, response }: TrailExchange): Style {
  const status = response?.status_code ?? 0
  if (open === true || status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 200 ? 'green' : 'cyan'
}

function remarkOn({ response, corrected }: TrailExchange): string {
  const remarks = [
    ...(response?.error === undefined ? [] : [response.error]),
    ...(response?.aborted === true ? ['the client had left'] : []),
    ...(corrected === undefined ? [] : [`* corrected: the record says ${corrected.status_code ?? 'nothing'}`]),
  ]
  return remarks.length === 0 ? '' : `  (${remarks.join('; ')})`
}

function last(text: string, columns: number | undefined): string {
  return columns === undefined ? text : cut(text, Math.max(1, columns - BEFORE_ENDPOINT))
}
