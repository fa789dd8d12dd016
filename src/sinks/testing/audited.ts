import { AuditInvalidExpectation } from '../../errors.js'
import type { AuditEntry } from '../sink.js'
import { type Expected, readExpectation, shown } from './expectation.js'
import { describe, type Recorded, recordedIn } from './recorded.js'

/** A memory sink, or the entries that a sink was given. */
export type AuditedSink = { readonly entries: readonly AuditEntry[] } | readonly AuditEntry[]

/** True if a trail has a record that meets the expectation. */
export interface Comparison {
  readonly pass: boolean
  /** Says what was recorded instead; if it passes, the record that says it. */
  message(): string
}

/** The most records that a message lists, and the most characters of a line of it. */
const MOST_LISTED = 20
const LONGEST_LINE = 300

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

export function compareAudited(sink: unknown, expected: unknown): Comparison {
  const expectation = readExpectation(expected)
  const recorded = recordedIn(entriesOf(sink).map(({ event }) => event))
  const found = recorded.find((one) => expectation.every((key) => key.isMet(one)))
  if (found !== undefined) {
    return {
      pass: true,
      message: () => `The trail has a record with ${line(shown(expected))}:\n  ${line(describe(found))}`,
    }
  }
  return {
    pass: false,
    message: () => `The trail has no record with ${line(shown(expected))}.\n${instead(expectation, recorded)}`,
  }
}

function entriesOf(sink: unknown): readonly AuditEntry[] {
  const hasEntries = typeof sink === 'object' && sink !== null && !Array.isArray(sink) && 'entries' in sink
  const entries: unknown = hasEntries ? sink.entries : sink
  if (isEntries(entries)) return entries
  throw new AuditInvalidExpectation(`give a memorySink() or its \`entries\`, not ${line(shown(sink))}`)
}

function isEntries(value: unknown): value is readonly AuditEntry[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && 'event' in item)
}

function instead(expectation: readonly Expected[], recorded: readonly Recorded[]): string {
  const nearest = nearestOf(expectation, recorded)
  if (nearest === undefined) {
    return 'It has none at all of a request or an action. If the sink is best-effort, `await app.audit.flush()` first.'
  }
  const lines = ['Nearest:', `  ${line(describe(nearest))}`]
  for (const expected of expectation) {
    if (expected.isMet(nearest)) continue
    lines.push(line(`    ${expected.key}: ${shown(expected.instead(nearest))}, expected ${shown(expected.value)}`))
  }
  if (recorded.length > 1) lines.push(`All ${recorded.length}:`, ...listed(recorded))
  return lines.join('\n')
}

/** The record that has most of what is expected; the last of them, which is likely what the test has just done. */
function nearestOf(expectation: readonly Expected[], recorded: readonly Recorded[]): Recorded | undefined {
  let nearest: Recorded | undefined
  let most = 0
  for (const one of recorded) {
    const met = expectation.filter((expected) => expected.isMet(one)).length
    if (met < most) continue
    nearest = one
    most = met
  }
  return nearest
}

function listed(recorded: readonly Recorded[]): string[] {
  const lines = recorded.slice(-MOST_LISTED).map((one) => `  ${line(describe(one))}`)
  const left = recorded.length - lines.length
  return left === 0 ? lines : [`  ${left} earlier ones, and`, ...lines]
}

/** A client may have chosen what is recorded: nothing in a message may be long, or act on a terminal. */
function line(text: string): string {
  const escaped = text.replace(UNPRINTABLE, (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
  return escaped.length > LONGEST_LINE ? `${escaped.slice(0, LONGEST_LINE).toWellFormed()}…` : escaped
}
