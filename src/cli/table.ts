import type { Outcome } from '../event/action.js'
import type { TrailExchange } from '../reader/trail-exchange.js'
import { actionOf, remarksOn } from './remarks.js'
import { cut, type Painter, padded, printable, type Style } from './terminal.js'

/** Widths of columns; a client's text never leaves its column, and the last one takes the rest of the line. */
const ID = 8
/** `failure*` is the longest. */
const STATUS = 8
const DURATION = 9
const OPERATION = 7
/** On a narrow terminal: times without milliseconds and shorter names leave room for the endpoint. */
const NARROW = { time: 19, actor: 10 }
const WIDE = { time: 24, actor: 20 }
const WIDE_FROM = 100

/** Options of a table's rows. */
export interface TableOptions {
  readonly paint: Painter
  /** Longer lines are cut, so that none continues as if it were another; `undefined` if not on a terminal. */
  readonly columns: number | undefined
}

function widthsOf(columns: number | undefined): { time: number; actor: number; endpoint: number | undefined } {
  const widths = columns !== undefined && columns < WIDE_FROM ? NARROW : WIDE
  const before = widths.time + ID + STATUS + DURATION + widths.actor + OPERATION + 6
  return { ...widths, endpoint: columns === undefined ? undefined : Math.max(1, columns - before) }
}

export function tableHeader({ paint, columns }: TableOptions): string {
  const { time, actor } = widthsOf(columns)
  const titles = [
    padded('TIME', time),
    padded('ID', ID),
    padded('STATUS', STATUS),
    padded('MS', DURATION, 'right'),
    padded('ACTOR', actor),
    padded('METHOD', OPERATION),
    'ENDPOINT',
  ]
  return paint(titles.join(' '), 'bold')
}

export function tableRow(exchange: TrailExchange, { paint, columns }: TableOptions): string {
  const { id, timestamp, response, request, type, duration_ms } = exchange
  const { time, actor, endpoint } = widthsOf(columns)
  const what = [request?.endpoint, actionOf(exchange)].filter((part) => part !== undefined && part !== '').join('  ')
  const asked = printable(`${what}${remarksOn(exchange)}`)
  const cells = [
    paint(padded(printable(timestamp.slice(0, time)), time), 'dim'),
    paint(padded(printable(id.slice(0, ID)), ID), 'dim'),
    paint(padded(statusOf(exchange), STATUS), styleOf(exchange)),
    padded((response?.duration_ms ?? duration_ms)?.toFixed(1) ?? '', DURATION, 'right'),
    padded(printable(actorOf(exchange)), actor),
    padded(printable(type ?? request?.operation ?? ''), OPERATION),
    endpoint === undefined ? asked : cut(asked, endpoint),
  ]
  return cells.join(' ').trimEnd()
}

/** Shows an entry of the trail's own life. */
export function tableNote(time: string, text: string, { paint, columns }: TableOptions): string {
  const { time: width } = widthsOf(columns)
  const cells = [
    padded(printable(time.slice(0, width)), width),
    padded('', ID),
    padded('trail', STATUS),
    printable(text),
  ]
  const line = cells.join(' ')
  return paint(columns === undefined ? line : cut(line, columns), 'cyan')
}

/** The actor's name, else the id. */
function actorOf({ auth }: TrailExchange): string {
  return auth?.name ?? auth?.accessor_id ?? ''
}

function statusOf({ open, corrected, response, type, outcome }: TrailExchange): string {
  if (open === true) return 'open'
  const ended = type === 'action' ? outcome : response?.status_code
  return `${ended ?? 'none'}${corrected === undefined ? '' : '*'}`
}

const STYLES = { success: 'green', denied: 'yellow', failure: 'red' } as const satisfies Record<Outcome, Style>

function styleOf({ open, response, type, outcome, error }: TrailExchange): Style {
  if (open === true) return 'red'
  if (type === 'action') return STYLES[outcome ?? (error === undefined ? 'success' : 'failure')]
  const status = response?.status_code ?? 0
  if (status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 200 ? 'green' : 'cyan'
}
