/**
 * Measures `import 'fastify-audit-log'` beyond `import 'fastify'`, and `fastify-audit-log/standalone` without it:
 * `npm run bench:import -- [--processes 21]`.
 *
 * Modules are loaded once, so each number is of a new process: it imports Fastify, and then the contender. Contenders
 * take turns. What the dependencies cost when nothing else has loaded them is taken from the whole; the rest is ours.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { verdict } from './support/aims.js'
import { machine, onMeasuredCore } from './support/cores.js'
import { differences, ratios, spread } from './support/statistics.js'

const { values } = parseArgs({ options: { processes: { type: 'string', default: '21' } } })
const processes = Number(values.processes)

const OURS = 'fastify-audit-log'
const STANDALONE = 'fastify-audit-log/standalone'
const DEPENDENCIES = ['zod', 'micromatch', 'find-my-way', 'fastify-plugin', '@fastify/error']
/** A path in the package, from where it can import itself by its name. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Costs {
  /** Milliseconds. */
  fastify: number[]
  beyond: number[]
}

const costs = new Map([OURS, ...DEPENDENCIES].map((name): [string, Costs] => [name, { fastify: [], beyond: [] }]))
const standalone: number[] = []
// The first round brings the files into the page cache.
for (let round = -1; round < processes; round++) {
  for (const [name, { fastify, beyond }] of costs) {
    const cost = costOf(name)
    if (round < 0) continue
    fastify.push(cost.fastify)
    beyond.push(cost.beyond)
  }
  const alone = costAlone(STANDALONE)
  if (round >= 0) standalone.push(alone)
  process.stderr.write(`\rround ${round + 1} of ${processes}`)
}
process.stderr.write('\n')
report()

/** Milliseconds of an import in a process that imports nothing else. */
function costAlone(name: string): number {
  return run(`
    const start = performance.now()
    await import('${name}')
    console.log(JSON.stringify(performance.now() - start))`)
}

function costOf(name: string): { fastify: number; beyond: number } {
  return run(`
    const start = performance.now()
    await import('fastify')
    const between = performance.now()
    await import('${name}')
    console.log(JSON.stringify({ fastify: between - start, beyond: performance.now() - between }))`)
}

/** Runs a program in a process of its own, and returns what it prints. */
function run<Result>(program: string): Result {
  const [command, args] = onMeasuredCore(['--input-type=module', '--eval', program])
  return JSON.parse(execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' }))
}

function report(): void {
  const { fastify, beyond } = costs.get(OURS) ?? { fastify: [], beyond: [] }
  const rows = DEPENDENCIES.map((name): [string, number[]] => [name, costs.get(name)?.beyond ?? []])
  const rest = rows.reduce((left, [, cost]) => differences(left, cost), beyond)
  process.stdout.write(
    `\n${machine()}; ${processes} processes each\nmilliseconds: median (lower quartile – upper quartile)\n\n` +
      '| import | cost | share |\n| --- | --- | --- |\n' +
      `| fastify | ${spread(fastify, 1)} | |\n| ${OURS}, beyond it | ${spread(beyond, 1)} | 1 |\n`,
  )
  for (const [name, cost] of [...rows, ['the rest', rest] as const]) {
    process.stdout.write(`| – ${name} | ${spread(cost, 1)} | ${spread(ratios(cost, beyond), 2)} |\n`)
  }
  process.stdout.write(`| ${STANDALONE}, without Fastify | ${spread(standalone, 1)} | |\n`)
  process.stdout.write(
    `\n${verdict({ text: "milliseconds beyond Fastify's own import", numbers: beyond, most: 100 })}\n`,
  )
}
