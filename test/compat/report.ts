import { type Difference, isKnown, natureOfWaiting, type Outcomes, passing } from './compare.js'
import { versionOf } from './install.js'
import type { KnownDifference } from './known-differences.js'

/** A row for each package: what its tests did in the modes. */
export function printSummary(results: ReadonlyMap<string, Outcomes>, differences: readonly Difference[]): void {
  const packages = new Set([...results.keys()].map(packageOf))
  const rows = [...packages].map((name) => {
    const outcomes = [...results].filter(([file]) => packageOf(file) === name).map(([, of]) => of)
    const own = differences.filter(({ file }) => packageOf(file) === name)
    return {
      package: name,
      version: versionOf(name),
      files: outcomes.length,
      'fail plain': sum(outcomes, failingPlain),
      'fail by waiting': sum(outcomes, (of) => natureOfWaiting(of).length),
      compared: sum(outcomes, (of) => passing(of, 'waiting').length),
      'fail audited, known': testsOf(own.filter(isKnown)),
      'fail audited, new': testsOf(own.filter((difference) => !isKnown(difference))),
    }
  })
  console.table(rows)
}

/** What is new, and what is in the list without need. */
export function printDifferences(news: readonly Difference[], stale: readonly KnownDifference[]): void {
  for (const { file, test, mode, error } of news) {
    console.log(`\n${file}: ${test}\n  ${mode}: ${error.replaceAll('\n', '\n  ')}`)
  }
  for (const { file, test, mode } of stale) {
    console.log(
      `\n${file}: ${test}\n  passes${mode === undefined ? '' : ` ${mode}`}: take it out of known-differences.ts`,
    )
  }
  if (news.length > 0) console.log('\nPasses with hooks that only wait, and not with the audit: see above.')
}

function failingPlain(outcomes: Outcomes): number {
  return [...(outcomes.get('plain')?.values() ?? [])].filter(({ passed }) => !passed).length
}

function testsOf(differences: readonly Difference[]): number {
  return new Set(differences.map(({ file, test }) => `${file}\n${test}`)).size
}

function sum(all: readonly Outcomes[], count: (outcomes: Outcomes) => number): number {
  return all.reduce((total, outcomes) => total + count(outcomes), 0)
}

/** `fastify` or `@fastify/etag`, of a test file below `node_modules`. */
function packageOf(file: string): string {
  return file.split('/test/', 1).join('')
}
