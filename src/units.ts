import { AuditInvalidUnit } from './errors.js'

/** The longest delay that `setTimeout` takes (about 24.8 days); beyond it Node fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The longest text that either parser reads: a defence against pathological numbers. */
export const MAX_UNIT_TEXT = 64

/** Go's `time.Duration` is an int64 of nanoseconds: about 292 years, which in ms is a safe integer. */
const MAX_NANOSECONDS = 2n ** 63n - 1n

const NANOSECONDS = new Map<string, bigint>([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n], // U+00B5, the micro sign
  ['μs', 1_000n], // U+03BC, the Greek letter
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])

const BYTES = new Map<string, bigint>([
  ['', 1n],
  ['B', 1n],
  ['KB', 10n ** 3n],
  ['MB', 10n ** 6n],
  ['GB', 10n ** 9n],
  ['TB', 10n ** 12n],
  ['K', 2n ** 10n],
  ['KiB', 2n ** 10n],
  ['M', 2n ** 20n],
  ['MiB', 2n ** 20n],
  ['G', 2n ** 30n],
  ['GiB', 2n ** 30n],
  ['T', 2n ** 40n],
  ['TiB', 2n ** 40n],
])

const NUMBER = '(?:\\d+\\.?\\d*|\\.\\d+)'

/** Matches a duration in a string; `parseDuration` also bounds it. */
export const DURATION_PATTERN = `^\\+?(?:0|(?:${NUMBER}(?:ns|us|µs|μs|ms|s|m|h))+)$`

/** Matches a size in a string; `parseSize` also bounds it. */
export const SIZE_PATTERN = `^${NUMBER}(?:[KMGT](?:i?B)?|B)?$`

const DURATION = new RegExp(DURATION_PATTERN)
const SIZE = new RegExp(SIZE_PATTERN)
const DURATION_PARTS = new RegExp(`(${NUMBER})(ns|us|µs|μs|ms|s|m|h)`, 'g')
const SIZE_PARTS = new RegExp(`^(${NUMBER})(.*)$`)

/** Says how to write a duration. */
export const DURATION_REMEDY = "write a duration such as '24h', '1h30m', '90s' or '500ms'"
/** Says how to write a size. */
export const SIZE_REMEDY = "write bytes as a number, or a size such as '100MiB', '10MB' or '64K'"

/**
 * Parses a duration in Go's form (`1h30m`, `36h`, `1.5h`, `500ms`, `0`), and returns milliseconds, rounded up: only a
 * duration of nothing is 0. Units are `ns`, `us` or `µs`, `ms`, `s`, `m`, `h`; there is no day, because not every day
 * has 24 hours. A number has no unit, so only `0` is accepted.
 *
 * @throws `FST_AUDIT_INVALID_UNIT` for anything else; its message says what to write.
 */
export function parseDuration(text: string | number): number {
  if (text === 0) return 0
  if (typeof text === 'number') throw new AuditInvalidUnit(durationNumberRemedy(text))
  if (text.length > MAX_UNIT_TEXT || !DURATION.test(text)) throw new AuditInvalidUnit(durationRemedy(text))
  let nanoseconds = 0n
  for (const [, number = '', unit = ''] of text.matchAll(DURATION_PARTS)) {
    nanoseconds += scale(number, NANOSECONDS.get(unit) ?? 0n)
  }
  if (nanoseconds > MAX_NANOSECONDS) throw new AuditInvalidUnit('it is longer than 292 years; write a shorter duration')
  return Number(ceil(nanoseconds, 1_000_000n))
}

/**
 * Parses a size, and returns bytes, rounded up. A size is a whole number, or a number and a unit (`100MiB`, `10MB`,
 * `64K`, `1.5GiB`, `512B`). `KB`, `MB`, `GB` and `TB` are powers of 1000; `K`, `M`, `G`, `T` and `KiB`, `MiB`, `GiB`,
 * `TiB` are powers of 1024. Case matters, because `mb` could mean either.
 *
 * @throws `FST_AUDIT_INVALID_UNIT` for anything else; its message says what to write.
 */
export function parseSize(text: string | number): number {
  if (typeof text === 'number') {
    if (!Number.isSafeInteger(text) || text < 0) throw new AuditInvalidUnit(SIZE_REMEDY)
    return text === 0 ? 0 : text // never -0
  }
  if (text.length > MAX_UNIT_TEXT || !SIZE.test(text)) throw new AuditInvalidUnit(sizeRemedy(text))
  const [, number = '', unit = ''] = SIZE_PARTS.exec(text) ?? []
  const bytes = scale(number, BYTES.get(unit) ?? 0n)
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw new AuditInvalidUnit('it is larger than 8191TiB; write a smaller size')
  return Number(bytes)
}

/** Multiplies a decimal number by a unit, rounded up, without the errors of floating point. */
function scale(number: string, unit: bigint): bigint {
  const [whole = '', fraction = ''] = number.split('.')
  return ceil(BigInt(whole + fraction) * unit, 10n ** BigInt(fraction.length))
}

function ceil(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

function durationNumberRemedy(number: number): string {
  if (!Number.isFinite(number) || number < 0) return DURATION_REMEDY
  return `a number has no unit; write '${number}ms' if milliseconds are meant, or '${number}s' for seconds`
}

function durationRemedy(text: string): string {
  if (text.length > MAX_UNIT_TEXT) return DURATION_REMEDY
  if (text.startsWith('-')) return `a duration cannot be negative; ${DURATION_REMEDY}`
  if (/^\d+(\.\d+)?$/.test(text)) return `the unit is missing; write '${text}s', '${text}m' or '${text}h'`
  const days = /^(\d{1,6}) ?(?:d|day|days)$/.exec(text)?.[1]
  if (days !== undefined) return `there is no unit for days; write '${Number(days) * 24}h'`
  return DURATION_REMEDY
}

function sizeRemedy(text: string): string {
  if (text.length > MAX_UNIT_TEXT) return SIZE_REMEDY
  if (text.startsWith('-')) return `a size cannot be negative; ${SIZE_REMEDY}`
  const [, number, unit] = /^(\d+(?:\.\d+)?) *([A-Za-z]{1,3})$/.exec(text) ?? []
  const exact = [...BYTES.keys()].find((name) => name !== '' && name.toLowerCase() === unit?.toLowerCase())
  if (number !== undefined && exact !== undefined) return `units are written exactly; write '${number}${exact}'`
  return SIZE_REMEDY
}
