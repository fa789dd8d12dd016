/**
 * Measures how the file sink's work grows: `npm run bench:archives -- [--slices 20] [--milliseconds 100] [--lives 8]`.
 * First the size of entries, then the number of archives. See docs/benchmarks-method.md.
 */
import { parseArgs } from 'node:util'
import { verdict } from './support/aims.js'
import { machine } from './support/cores.js'
import { differences, ratios, spread } from './support/statistics.js'
import { inTurns, type Life, type Written } from './support/worker.js'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '20' },
    milliseconds: { type: 'string', default: '100' },
    lives: { type: 'string', default: '8' },
  },
})
const rounds = Number(values.slices)
const milliseconds = Number(values.milliseconds)
const lives = Number(values.lives)

const KIB = 1024
const SIZES = [100, 600, 4 * KIB, 16 * KIB, 64 * KIB]
/** Long enough for the sink's first check of its disk, a second after it was opened. */
const WARM_UP = 1500
/** More than there are archives: retention reads all names, and deletes nothing. */
const MAX_FILES = 20_000
/** 0: retention is off. */
const LIMITS = [0, MAX_FILES]
const COUNTS = [0, 1000, 10_000]
/** The most that a boot may take longer, in milliseconds: Node's own start takes a few times that. */
const BOOT = 20

process.stdout.write(`${machine()}\n${rounds} slices: median (lower quartile – upper quartile)\n`)
const aims = [...(await sizes()), ...(await archives())]
process.stdout.write(`\n${aims.map((aim) => `- ${aim}\n`).join('')}`)

async function sizes(): Promise<string[]> {
  const slices = await inTurns<Written>(
    'archives.mjs',
    new Map(SIZES.map((bytes) => [String(bytes), ['size', String(bytes)]])),
    { rounds, warmUp: { milliseconds: WARM_UP }, question: { milliseconds } },
  )
  const perEntry = (bytes: number) => (slices.get(String(bytes)) ?? []).map(({ cpu, entries }) => cpu / entries)
  const perByte = (bytes: number) => perEntry(bytes).map((cpu) => (cpu * 1000) / bytes)
  const rows = SIZES.map((bytes) => `| ${bytes} | ${spread(perEntry(bytes), 2)} | ${spread(perByte(bytes), 2)} |\n`)
  process.stdout.write(
    `\n| bytes of an entry | µs of CPU per entry | ns of CPU per byte |\n| --- | --- | --- |\n${rows.join('')}`,
  )
  const numbers = ratios(perByte(64 * KIB), perByte(4 * KIB))
  return [verdict({ text: '8. CPU per byte, entries of 64 KiB to 4 KiB', numbers, most: 1.25 })]
}

async function archives(): Promise<string[]> {
  const found = await inTurns<Life>(
    'archives.mjs',
    new Map(
      LIMITS.flatMap((limit) => COUNTS.map((count) => [name(count, limit), ['archives', `${count}`, `${limit}`]])),
    ),
    { rounds, warmUp: { lives }, question: { lives } },
  )
  const of = (contender: string, what: keyof Life) => (found.get(contender) ?? []).map((life) => life[what])
  const columns = ['boot', 'tail', 'rotation', 'look'] as const
  const rows = LIMITS.flatMap((limit) =>
    COUNTS.map((count) => {
      const cells = columns.map((what) => spread(of(name(count, limit), what), 2))
      const rotation = ratios(of(name(count, limit), 'rotation'), of(name(0, limit), 'rotation'))
      return `| ${[name(count, limit), ...cells, spread(rotation, 2)].join(' | ')} |\n`
    }),
  )
  process.stdout.write(
    '\n| archives | ms to boot | ms to find the last line | ms of a write that rotates | ms of the next idle | ' +
      `rotation, to none |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('')}`,
  )
  const [none, many] = [name(0, MAX_FILES), name(10_000, MAX_FILES)]
  return [
    verdict({
      text: '8. a write that rotates, 10,000 archives to none',
      numbers: ratios(of(many, 'rotation'), of(none, 'rotation')),
      most: 1.25,
    }),
    verdict({
      text: '8. ms that 10,000 archives add to a boot',
      numbers: differences(of(many, 'boot'), of(none, 'boot')),
      most: BOOT,
    }),
  ]
}

function name(count: number, limit: number): string {
  return `${count}${limit === 0 ? '' : ', retention on'}`
}
