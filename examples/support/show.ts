import type { AuditEvent, LifecycleEvent } from 'fastify-audit-log'

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

const CODES: Record<Colour, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }
const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR

/** Formats text for a terminal, in colour if it takes colours. */
export function paint(colour: Colour, text: string): string {
  return isColoured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text
}

/** Text from a trail, for a terminal: a client or an error chose it, so nothing in it may move the cursor. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Shows the two records of one request: the request, then one row for each record. */
export function showPair(number: number, events: readonly AuditEvent[]): string {
  const [first] = events
  if (first === undefined) return ''
  const { id, auth, request } = first.payload
  const what = printable(`${request.operation.padEnd(6)} ${request.endpoint}`)
  const who = printable(auth.name ?? auth.accessor_id)
  const title = `${String(number).padStart(2)}  ${paint('bold', what.padEnd(48))} ${who.padEnd(16)} ${paint('dim', id)}`
  return [title, ...events.map(showStage)].join('\n')
}

/** Shows an entry of the trail's own life: the beginning of its content. */
export function showLife({ created_at, seq, payload }: LifecycleEvent): string {
  const { id, type, timestamp, version, ...rest } = payload
  const details = printable(JSON.stringify(Object.values(rest)[0]))
  const shown = details.length > 72 ? `${details.slice(0, 72)}…` : details
  return `    ${paint('yellow', type.padEnd(18))} seq ${String(seq).padEnd(3)} ${created_at.slice(11, 23)}  ${shown}`
}

function showStage({ created_at, seq, payload }: AuditEvent): string {
  const { stage, response, annotations } = payload
  const row = `    ${stage.padEnd(18)} seq ${String(seq).padEnd(3)} ${created_at.slice(11, 23)}`
  if (response === undefined) return paint('dim', row)
  const { status_code, error, duration_ms } = response
  const status = paint(status_code !== undefined && status_code < 400 ? 'green' : 'red', String(status_code ?? '–'))
  const duration = `${(duration_ms ?? 0).toFixed(1)} ms`.padStart(8)
  const notes = [error, annotations && JSON.stringify(annotations)].filter((note) => note !== undefined)
  return [row, status, duration, ...notes.map(printable)].join('  ')
}
