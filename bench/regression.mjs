// @ts-check
/**
 * Fails when the hot path does more than it did: `npm run test:performance`. See docs/benchmarks-method.md.
 *
 * Judges only numbers that do not depend on the machine or on what else it does: allocated bytes, asynchronous resources,
 * writes to the sink. Prints, but does not judge, the CPU time as a ratio to that of a server without the plugin in the
 * same process: it varies between 0.45 and 0.92 for the same code. Requests are injected, because a socket would be most
 * of the cost and nearly all of the noise.
 */
import { createHook } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import Fastify from 'fastify'
import audit from 'fastify-audit-log'

/**
 * The figures measured last: the highest of Node 20, 22 and 24. To renew them, copy what `npm run test:performance --
 * --figures` prints. Renew them whenever the hot path gets cheaper; otherwise this check misses what it gains and loses
 * again.
 *
 * @type {Record<string, number>}
 */
const FIGURES = {
  'enforced, promises of 64 requests': 6,
  'enforced, timers of 64 requests': 2,
  'enforced, other resources of 64 requests': 134,
  'enforced, writes of 64 requests': 2,
  'best-effort, promises of 64 requests': 3,
  'best-effort, timers of 64 requests': 1,
  'best-effort, other resources of 64 requests': 3,
  'best-effort, writes of 64 requests': 1,
  'enforced, bytes allocated by a request': 6237,
  'best-effort, bytes allocated by a request': 5343,
}
/**
 * The factor from a figure to its limit. Counts are exact. Bytes vary by three hundredths, whether the machine is busy or
 * not, and a little more between releases of Node.
 */
const MARGIN = { bytes: 1.1, others: 1 }

/** Concurrent requests, as many as on a busy server: they share the cost of a batch. */
const CONCURRENT = 64
/** Rounds in a slice. What they allocate must fit in the semi-space, where it is counted. */
const ROUNDS = 10
const SLICES = 41
const WARM_UP = 60

/** @type {ReadonlyArray<'promises' | 'timers' | 'other resources' | 'writes'>} */
const KINDS = ['promises', 'timers', 'other resources', 'writes']

/** Collects young garbage, which is fast and keeps the size of the semi-space. */
const collect = /** @type {(options: { type: 'minor' }) => void} */ (Reflect.get(globalThis, 'gc'))

let writes = 0
/** Reads every line, and keeps none. */
const sink = {
  /** @param {readonly import('fastify-audit-log').AuditEntry[]} entries */
  async write(entries) {
    writes++
    for (const { line } of entries) if (line.length === 0) throw new Error('a line is empty')
  },
}

/** @param {'enforced' | 'best-effort'} [deliveryGuarantee] */
async function serve(deliveryGuarantee) {
  const app = Fastify()
  if (deliveryGuarantee !== undefined) {
    await app.register(audit, {
      filters: [{ name: 'health', endpoints: ['/health*'], stages: ['*'], operations: ['GET'] }],
      identity: () => ({ accessorId: 'a162f017-bcf7-900c-e22a-a2a8cbbcef53', name: 'check' }),
      sinks: [{ name: 'none', sink, deliveryGuarantee }],
    })
  }
  app.get('/v1/jobs', async () => ({ hello: 'world' }))
  await app.ready()
  await run(app, WARM_UP)
  return app
}

/**
 * @param {import('fastify').FastifyInstance} app
 * @param {number} rounds
 */
async function run(app, rounds) {
  for (let round = 0; round < rounds; round++) {
    const requests = []
    for (let count = 0; count < CONCURRENT; count++) requests.push(app.inject('/v1/jobs?prefix=web'))
    for (const { statusCode } of await Promise.all(requests)) {
      if (statusCode !== 200) throw new Error(`a request was answered with ${statusCode}`)
    }
    // Entries that nobody waits for are written in the next turns of the event loop.
    await setImmediate()
    await setImmediate()
  }
}

/** @param {import('fastify').FastifyInstance} app */
async function slice(app) {
  collect({ type: 'minor' })
  const { heapUsed } = process.memoryUsage()
  const begun = process.cpuUsage()
  await run(app, ROUNDS)
  const { user, system } = process.cpuUsage(begun)
  const bytes = process.memoryUsage().heapUsed - heapUsed
  return { cpu: user + system, bytes: bytes / ROUNDS / CONCURRENT }
}

/**
 * Counts the resources that a round makes, and the writes to the sink. Takes the least of some rounds, because a sink's
 * `idle` runs now and then.
 *
 * @param {import('fastify').FastifyInstance} app
 */
async function counts(app) {
  const least = { promises: Infinity, timers: Infinity, 'other resources': Infinity, writes: Infinity }
  for (let round = 0; round < 10; round++) {
    const made = { promises: 0, timers: 0, 'other resources': 0, writes: 0 }
    const hook = createHook({
      init(_id, type) {
        made[type === 'PROMISE' ? 'promises' : type === 'Timeout' ? 'timers' : 'other resources']++
      },
    })
    const before = writes
    hook.enable()
    await run(app, 1)
    hook.disable()
    made.writes = writes - before
    for (const key of KINDS) least[key] = Math.min(least[key], made[key])
  }
  return least
}

/**
 * @param {number[]} numbers
 * @param {number} share The share of the numbers that are lower.
 */
function quantile(numbers, share) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)] ?? Number.NaN
}

const bare = await serve()
const audited = { enforced: await serve('enforced'), 'best-effort': await serve('best-effort') }

/** @type {Record<string, number>} */
const measured = {}
/** @type {Record<string, number>} */
const cpuTimes = {}
const countsOfBare = await counts(bare)
for (const [name, app] of Object.entries(audited)) {
  const own = await counts(app)
  for (const kind of KINDS) measured[`${name}, ${kind} of ${CONCURRENT} requests`] = own[kind] - countsOfBare[kind]
}

const apps = { bare, ...audited }
/** @type {Record<string, Awaited<ReturnType<typeof slice>>[]>} */
const slices = { bare: [], enforced: [], 'best-effort': [] }
for (let round = 0; round < SLICES; round++) {
  for (const [name, app] of Object.entries(apps)) slices[name]?.push(await slice(app))
}
const bytesOf = (/** @type {string} */ name) => quantile(slices[name]?.map(({ bytes }) => bytes) ?? [], 0.5)
// What else the machine does only ever adds to it: with all cores taken the median rises by a third, this by a tenth.
const cpuOf = (/** @type {string} */ name) => quantile(slices[name]?.map(({ cpu }) => cpu) ?? [], 0.1)
for (const name of Object.keys(audited)) {
  measured[`${name}, bytes allocated by a request`] = Math.round(bytesOf(name) - bytesOf('bare'))
  cpuTimes[`${name}, CPU time beside a request's`] = Number((cpuOf(name) / cpuOf('bare') - 1).toFixed(2))
}

console.log(`Node ${process.version}, beyond a server without the plugin: measured, figure, limit`)
let areWithin = true
for (const [name, value] of Object.entries(measured)) {
  const figure = FIGURES[name] ?? Number.NaN
  const limit = figure * (name.includes('bytes') ? MARGIN.bytes : MARGIN.others)
  const isWithin = value <= limit
  areWithin &&= isWithin
  console.log(`${isWithin ? ' ok ' : 'MORE'}  ${name}: ${value}, ${figure}, ${limit.toFixed(2)}`)
}
for (const [name, value] of Object.entries(cpuTimes)) console.log(`      ${name}: ${value}, not judged`)
if (process.argv.includes('--figures')) {
  console.log(Object.entries(measured).reduce((text, [name, value]) => `${text}  '${name}': ${value},\n`, ''))
}
if (!areWithin) {
  console.error('The hot path does more than it did. If it has to, renew FIGURES in bench/regression.mjs.')
  process.exitCode = 1
}
for (const app of Object.values(apps)) await app.close()
