// @ts-check
/**
 * Measures the comparison of two values beside `JSON.stringify` of both: `npm run bench:changes -- [--slices 21]
 * [--milliseconds 20]`. One process, no server. See docs/benchmarks-method.md.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ChangeList } from './.modules/event/content/changes.js'
import { ChangeReport } from './.modules/redact/change-report.js'
import { Redactor } from './.modules/redact/redactor.js'

const { values } = parseArgs({
  options: { slices: { type: 'string', default: '21' }, milliseconds: { type: 'string', default: '20' } },
})
const slices = Number(values.slices)
const milliseconds = Number(values.milliseconds)
const redactor = new Redactor()
const BOUNDS = { maxChanges: 64, maxBytes: 8192 }

/** @param {unknown} before @param {unknown} after @param {{ id: string } | undefined} options */
function changesOf(before, after, options) {
  const list = new ChangeList(new ChangeReport(redactor), BOUNDS)
  list.add(before, after, options)
  return list.toJson()
}

/** @param {number} count @param {number} paid */
const invoice = (count, paid) => ({
  id: 42,
  state: paid > 0 ? 'paid' : 'open',
  customer: { name: 'Ada', mail: 'ada@example.org' },
  lines: Array.from({ length: count }, (_, index) => ({
    sku: `A-${index}`,
    quantity: index < paid ? 1 : 2,
    price: { amount: 1.5, currency: 'EUR' },
  })),
})

/** @type {Record<string, [before: unknown, after: unknown]>} */
const ROWS = {
  'invoice of 2 KB, the same': [invoice(20, 0), invoice(20, 0)],
  'invoice of 2 KB, one change': [invoice(20, 0), { ...invoice(20, 0), state: 'paid' }],
  'invoice of 2 KB, 21 changes': [invoice(20, 0), invoice(20, 20)],
  'invoice of 300 KB, one change': [invoice(3000, 0), { ...invoice(3000, 0), state: 'paid' }],
  'invoice of 300 KB, 3,001 changes': [invoice(3000, 0), invoice(3000, 3000)],
  'more than 20,000 values': [invoice(50_000, 0), invoice(50_000, 50_000)],
  'two texts of 256 KiB': ['lorem ipsum '.repeat(21_845), 'ipsum lorem '.repeat(21_845)],
}

process.stdout.write(
  `${cpus()[0]?.model.trim()}, Node ${process.version}; ${slices} slices of about ${milliseconds} ms\n` +
    'median (lower quartile – upper quartile)\n\n' +
    '| what is compared | µs | µs, by ids | ratio to JSON.stringify of both |\n| --- | --- | --- | --- |\n',
)
for (const [name, [before, after]] of Object.entries(ROWS)) {
  const calls = [
    () => changesOf(before, after, undefined),
    () => changesOf(before, after, { id: 'sku' }),
    () => JSON.stringify(before) + JSON.stringify(after),
  ].map((call) => ({ call, count: callsFor(call), times: /** @type {number[]} */ ([]) }))
  for (let slice = 0; slice < slices; slice++) {
    for (const { call, count, times } of calls) times.push(timeOf(call, count))
  }
  const [byIndex = [], byId = [], json = []] = calls.map(({ times }) => times)
  const ratios = byIndex.map((time, slice) => time / (json[slice] ?? Number.NaN))
  process.stdout.write(`| ${name} | ${spread(byIndex)} | ${spread(byId)} | ${spread(ratios)} |\n`)
}

/** The number of calls that take about as long as a slice, after they are compiled. @param {() => unknown} call */
function callsFor(call) {
  const end = performance.now() + 200
  let calls = 0
  while (performance.now() < end) {
    call()
    calls++
  }
  return Math.max(1, Math.round((calls * milliseconds) / 200))
}

/** Microseconds of one call. @param {() => unknown} call @param {number} calls */
function timeOf(call, calls) {
  const start = performance.now()
  for (let index = 0; index < calls; index++) call()
  return ((performance.now() - start) * 1000) / calls
}

/** @param {number[]} numbers */
function spread(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) =>
    sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(1),
  )
  return `${median} (${lower} – ${upper})`
}
