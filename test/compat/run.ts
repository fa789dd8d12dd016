/**
 * Runs the tests of Fastify and of its plugins with the audit on: `npm run test:compat`, or
 * `npm run test:compat -- fastify/test/hooks @fastify/sse` for the files whose names begin so. A test that passes with
 * hooks that only wait has to pass with the audit too, unless `known-differences.ts` says why it cannot.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildForTests } from './build.js'
import { type Difference, differencesIn, isKnown, type Outcomes, staleEntries } from './compare.js'
import { install } from './install.js'
import { AUDITED, type Mode } from './modes.js'
import { printDifferences, printSummary } from './report.js'
import { type Built, runFile } from './run-file.js'
import { MODULES, type TestFile, testFiles } from './suites.js'

const { values, positionals } = parseArgs({
  options: { concurrency: { type: 'string', default: '4' }, minutes: { type: 'string', default: '20' } },
  allowPositionals: true,
})
const FIXED_PORT = /\blisten\((?:\{\s*port:\s*)?[1-9]\d{3}/
/** A reply that has to come within less than a second. */
const SHORT_TIMEOUT = /\bAbortSignal\.timeout\(\d{1,3}\)/
const deadline = Date.now() + Number(values.minutes) * 60_000

/**
 * Runs a file in every mode that says something: in plain Fastify when tests fail with the waiting hooks already, with
 * hooks that wait longer when tests fail with the sink that answers later.
 */
async function runModes(file: TestFile, built: Built): Promise<Outcomes> {
  const outcomes = new Map<Mode, Awaited<ReturnType<typeof runFile>>>()
  for (const mode of ['waiting', ...AUDITED] as const) outcomes.set(mode, await runFile(file, mode, built))
  if (differencesIn(file.name, outcomes).some(({ mode }) => mode === 'audited later')) {
    outcomes.set('waiting longer', await runFile(file, 'waiting longer', built))
  }
  const waiting = outcomes.get('waiting')
  if (waiting !== undefined && [...waiting.values()].some(({ passed }) => !passed)) {
    outcomes.set('plain', await runFile(file, 'plain', built))
  }
  return outcomes
}

/** Listens on a port of its own choice, or measures how busy the machine is: nothing may run beside it. */
function runsAlone({ name }: TestFile): boolean {
  if (name.startsWith('@fastify/under-pressure')) return true
  const source = readFileSync(join(MODULES, name), 'utf8')
  return FIXED_PORT.test(source) || SHORT_TIMEOUT.test(source)
}

async function runAll(files: readonly TestFile[], built: Built): Promise<Map<string, Outcomes>> {
  const results = new Map<string, Outcomes>()
  const work = async (queue: TestFile[]) => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (Date.now() > deadline) return
      results.set(file.name, await runModes(file, built))
    }
  }
  const others = files.filter((file) => !runsAlone(file))
  await Promise.all(Array.from({ length: Number(values.concurrency) }, () => work(others)))
  await work(files.filter(runsAlone))
  return results
}

/** Leaves every outcome beside what was installed, for whoever wants to know more than what is printed. */
function keepResults(results: ReadonlyMap<string, Outcomes>): void {
  const plain = Object.fromEntries(
    [...results].map(([file, outcomes]) => [
      file,
      Object.fromEntries([...outcomes].map(([mode, of]) => [mode, [...of.values()]])),
    ]),
  )
  writeFileSync(join(MODULES, '.cache/outcomes.json'), JSON.stringify(plain))
}

async function main(): Promise<void> {
  install()
  const built = await buildForTests()
  const chosen = (name: string) => positionals.length === 0 || positionals.some((start) => name.startsWith(start))
  const files = testFiles().filter(({ name }) => chosen(name))
  const results = await runAll(files, built)
  const differences: Difference[] = []
  for (const [file, outcomes] of results) differences.push(...differencesIn(file, outcomes))
  const news = differences.filter((difference) => !isKnown(difference))
  const stale = staleEntries(new Set(results.keys()), differences)
  keepResults(results)
  printSummary(results, differences)
  printDifferences(news, stale)
  if (results.size < files.length) console.log(`\nNot done after ${values.minutes} minutes`)
  if (news.length > 0 || stale.length > 0 || results.size < files.length || results.size === 0) process.exitCode = 1
}

await main()
