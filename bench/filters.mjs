// @ts-check
/**
 * One contender of `bench/filters.ts`, run by plain Node on the published package: `node bench/filters.mjs DIRECTORY NAME`.
 * Serves a small reply. Answers `{}` with its port and its CPU time, and `{ calls }` with the time that the hook which
 * decides whether a request is recorded takes alone.
 */
import Fastify from 'fastify'
import audit, { memorySink } from 'fastify-audit-log'
import { serve } from './support/writers.mjs'

const [, name = ''] = process.argv.slice(2)

const EVERYTHING = { endpoints: ['*'], stages: ['*'], operations: ['*'] }
const JOBS = { endpoints: ['/v1/jobs*'], stages: ['*'], operations: ['GET'] }

/** Filters of the usual kinds: whole paths, paths below one, file types, a parameter in the middle, versions in braces. */
const UNMATCHED = Array.from({ length: 100 }, (_, index) => {
  const endpoints = [
    [`/health/${index}`, `/ready/${index}`],
    [`/v1/assets-${index}/*`],
    [`*.type${index}`],
    [`/v1/*/status-${index}`],
    [`/v{1..3}/nodes-${index}/*`],
  ]
  return { endpoints: endpoints[index % endpoints.length], stages: ['*'], operations: ['{GET,HEAD}'] }
})

/** @type {Record<string, { filters: object[], ofSink?: object[] } | undefined>} */
const CONTENDERS = {
  bare: undefined,
  'bare again': undefined,
  excluded: { filters: [JOBS] },
  '100 filters, the last matches': { filters: [...UNMATCHED.slice(1), JOBS] },
  // Excluded by the sink's own filter, after none of these matched: the cost for a request that is recorded.
  '100 filters, none matches': { filters: UNMATCHED, ofSink: [EVERYTHING] },
}

if (!(name in CONTENDERS)) throw new Error(`no contender is called ${name}`)
const contender = CONTENDERS[name]

const app = Fastify()
/** @type {Array<(request: object, reply: object, done: () => void) => void>} */
const hooks = []
if (contender !== undefined) {
  const { addHook } = app
  Object.assign(app, {
    /** @param {string} event @param {any} hook */
    addHook(event, hook) {
      if (event === 'onRequest') hooks.push(hook)
      return Reflect.apply(addHook, app, [event, hook])
    },
  })
  const sink = { name: 'memory', sink: memorySink(), filters: contender.ofSink ?? [] }
  const options = { filters: contender.filters, sinks: [sink] }
  await app.register(audit, /** @type {import('fastify-audit-log').AuditOptions} */ (options))
}

/** @type {Array<{ request: object, reply: object }>} */
const seen = []
let isKept = true
app.get('/v1/jobs', async (request, reply) => {
  if (isKept) seen.push({ request, reply })
  return { hello: 'world' }
})
await app.listen({ port: 0, host: '127.0.0.1' })
const address = app.server.address()
const port = typeof address === 'object' ? address?.port : undefined

for (let id = 0; id < 64; id++) await app.inject(`/v1/jobs?prefix=${id}`)
isKept = false
const slot = Object.getOwnPropertySymbols(seen[0]?.request ?? {}).find(({ description }) =>
  description?.endsWith('.slot'),
)

serve(async ({ calls }) => {
  if (calls !== undefined) return { nanoseconds: isolated(calls) }
  const { user, system } = process.cpuUsage()
  return { port, cpu: user + system }
})

/** Nanoseconds of one call of the hook, with requests that have been here before and are new to it again. */
function isolated(/** @type {number} */ calls) {
  const [hook] = hooks
  if (hook === undefined || slot === undefined) return 0
  let passed = 0
  const done = () => void passed++
  const begun = process.hrtime.bigint()
  for (let call = 0; call < calls; call++) {
    const { request, reply } = /** @type {typeof seen[number]} */ (seen[call % seen.length])
    Reflect.set(request, slot, null)
    hook(request, reply, done)
  }
  const nanoseconds = Number(process.hrtime.bigint() - begun) / calls
  if (passed !== calls) throw new Error('a request was recorded')
  return nanoseconds
}
