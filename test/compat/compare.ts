import { EVERY, KNOWN_DIFFERENCES, type KnownDifference } from './known-differences.js'
import { AUDITED, BASELINES, type Mode } from './modes.js'
import type { Outcome } from './reporter.js'

/** The outcomes of one file's tests in each mode that it was run in, by name. */
export type Outcomes = ReadonlyMap<Mode, ReadonlyMap<string, Outcome>>

/** A test that passes with the waiting hooks, and fails or is not reached with the audit. */
export interface Difference {
  readonly file: string
  readonly test: string
  readonly mode: Mode
  readonly error: string
}

/** The tests of a file that only the audit makes fail. */
export function differencesIn(file: string, outcomes: Outcomes): Difference[] {
  return AUDITED.flatMap((mode) =>
    expected(outcomes, mode).flatMap((test) => {
      const outcome = outcomes.get(mode)?.get(test)
      return outcome?.passed ? [] : [{ file, test, mode, error: outcome?.error ?? 'not reached' }]
    }),
  )
}

/** What has to pass in a mode: what passes with the waiting hooks, also with those that wait as long where they were run. */
function expected(outcomes: Outcomes, mode: keyof typeof BASELINES): string[] {
  const longer = outcomes.get(BASELINES[mode])
  return passing(outcomes, 'waiting').filter((test) => longer === undefined || longer.get(test)?.passed)
}

/** The tests of a file that pass in plain Fastify, and not with hooks that wait. */
export function natureOfWaiting(outcomes: Outcomes): string[] {
  const waiting = outcomes.get('waiting')
  return passing(outcomes, 'plain').filter((test) => !waiting?.get(test)?.passed)
}

export function passing(outcomes: Outcomes, mode: Mode): string[] {
  return [...(outcomes.get(mode)?.values() ?? [])].filter(({ passed }) => passed).map(({ name }) => name)
}

export function isKnown(difference: Difference): boolean {
  return KNOWN_DIFFERENCES.some((known) => covers(known, difference))
}

/** Entries of the list for the files that were run, whose test no longer fails. */
export function staleEntries(files: ReadonlySet<string>, differences: readonly Difference[]): KnownDifference[] {
  return KNOWN_DIFFERENCES.filter(
    (known) => files.has(known.file) && !known.sometimes && !differences.some((found) => covers(known, found)),
  )
}

function covers(known: KnownDifference, { file, test, mode }: Difference): boolean {
  return known.file === file && [test, EVERY].includes(known.test) && (known.mode ?? mode) === mode
}
