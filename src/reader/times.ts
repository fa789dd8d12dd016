import { AuditInvalidQuery } from '../errors.js'
import { parseDuration } from '../units.js'

/** A time in RFC 3339, or a day. */
const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[+-]\d{2}:\d{2})?)?$/
const REMEDY = "write a time such as '2026-03-24T17:09:35Z', a day such as '2026-03-24', or a duration such as '2h'"

/**
 * Parses a time in RFC 3339, a day (its midnight in UTC) or a duration before `now` to milliseconds since the epoch.
 *
 * @throws `FST_AUDIT_INVALID_QUERY` for anything else; its message begins with `name`.
 */
export function parseTime(name: string, text: string | Date, now: number): number {
  const time = text instanceof Date ? text.getTime() : parseText(name, text, now)
  if (Number.isNaN(time)) throw wrong(name, String(text), REMEDY)
  return time
}

function parseText(name: string, text: string, now: number): number {
  const [matched, year, month, day, time, zone] = TIME.exec(text) ?? []
  if (matched === undefined) return now - durationOf(name, text)
  if (!isDay(Number(year), Number(month), Number(day))) throw wrong(name, text, 'there is no such day')
  if (time === undefined) return Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  if (zone === undefined) throw wrong(name, text, "the zone is missing; add 'Z' for UTC, or an offset such as '+02:00'")
  return Date.parse(`${year}-${month}-${day}T${time}${zone.toUpperCase()}`)
}

/** Whether a day exists: JavaScript takes the 30th of February for the 2nd of March. */
function isDay(year: number, month: number, day: number): boolean {
  // JavaScript takes years below 100 for others, so use a year with the same calendar, which repeats every 400 years.
  const time = new Date(Date.UTC(2000 + (year % 400), month - 1, day))
  return time.getUTCMonth() === month - 1 && time.getUTCDate() === day
}

function durationOf(name: string, text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'FST_AUDIT_INVALID_UNIT') {
      throw wrong(name, text, /^[\d.]/.test(text) && !text.includes('-') ? error.message : REMEDY)
    }
    throw error
  }
}

function wrong(name: string, text: string, remedy: string): Error {
  return new AuditInvalidQuery(`${name} ${JSON.stringify(text.slice(0, 100))} is not a time: ${remedy}`)
}
