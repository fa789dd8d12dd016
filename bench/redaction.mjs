// @ts-check
/**
 * Measures redaction beside `JSON.stringify` of the same: `npm run bench:redaction -- [--slices 21]
 * [--milliseconds 20]`. One process, no server. See docs/benchmarks-method.md.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ChangeReport } from './.modules/redact/change-report.js'
import { RedactedJson } from './.modules/redact/redacted-json.js'
import { Redactor } from './.modules/redact/redactor.js'

const { values } = parseArgs({
  options: { slices: { type: 'string', default: '21' }, milliseconds: { type: 'string', default: '20' } },
})
const slices = Number(values.slices)
const milliseconds = Number(values.milliseconds)

const ROOM = 4 * 2 ** 20
const redactor = new Redactor()

/** @param {unknown} value @param {boolean} isParsed */
const redacted = (value, isParsed) => new RedactedJson(ROOM, new ChangeReport(redactor)).write(value, isParsed)

const body = {
  name: 'web',
  owner: { id: 23, mail: 'ada@example.org', active: true },
  tasks: Array.from({ length: 16 }, (_, index) => ({
    id: index,
    image: `registry.example.org/team/service-${index}:1.2.${index}`,
    command: ['serve', '--port', String(8000 + index)],
    cpu: 0.5,
  })),
}
const json = JSON.stringify(body)
/** A new value for each call, as a server gets it. */
const parsed = JSON.parse(json)
const url = '/v1/jobs?prefix=web&limit=20'
const flat = 'lorem ipsum '.repeat(5462)
const nested = { tasks: Array.from({ length: 580 }, () => JSON.parse(json)) }

/** For each row, the call that redacts and the call of JSON. @type {Record<string, [() => unknown, () => unknown]>} */
const ROWS = {
  'the same twice': [() => JSON.stringify(parsed), () => JSON.stringify(parsed)],
  'body of 2 KB, parsed by the server': [() => redacted(parsed, false), () => JSON.stringify(parsed)],
  'body of 2 KB, parsed for the record': [() => redacted(parsed, true), () => JSON.stringify(parsed)],
  'URL with a query': [() => redactor.endpoint(url, undefined, new ChangeReport(redactor)), () => JSON.stringify(url)],
  'string of 64 KiB': [() => redacted(flat, true), () => JSON.stringify(flat)],
  'nested objects, 1 MiB': [() => redacted(nested, true), () => JSON.stringify(nested)],
}

const measured = Object.entries(ROWS).map(([name, [ours, theirs]]) => {
  const calls = { ours: callsFor(ours), theirs: callsFor(theirs) }
  return { name, ours, theirs, calls, times: /** @type {number[]} */ ([]), ratios: /** @type {number[]} */ ([]) }
})
for (let slice = 0; slice < slices; slice++) {
  for (const { ours, theirs, calls, times, ratios } of measured) {
    const time = timeOf(ours, calls.ours)
    times.push(time)
    ratios.push(time / timeOf(theirs, calls.theirs))
  }
}

process.stdout.write(
  `${cpus()[0]?.model.trim()}, Node ${process.version}; ${slices} slices of about ${milliseconds} ms\n` +
    'median (lower quartile – upper quartile)\n\n| what is redacted | µs | ratio to JSON.stringify |\n| --- | --- | --- |\n',
)
for (const { name, times, ratios } of measured) {
  process.stdout.write(`| ${name} | ${spread(times)} | ${spread(ratios)} |\n`)
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
    sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(2),
  )
  return `${median} (${lower} – ${upper})`
}
